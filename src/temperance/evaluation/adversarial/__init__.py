"""Attacks: the worst that small changes of the inputs can do to a model, and whether the attack itself can be believed.

What is measured here is an upper bound: "no worse input was found by this set of attacks within this budget". It never
says that a model is safe. Needs torch; nothing here is loaded before it is asked for.
"""
