"""Rows that are like nothing the model knows: does it notice? Scores, their figures, and sets to try them on.

Near and far sets are never pooled: noticing noise says nothing about noticing what is almost right.
"""
