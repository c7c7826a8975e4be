"""What a row of a table may look like, and what may be changed in it: rules, their file, and attacks that keep them.

An attack that turns a customer of 40 into one of 40.7, or lowers an age, has broken no model that anybody uses. Here
only rows that could exist count. Loads no torch until a net is attacked along its slopes.
"""
