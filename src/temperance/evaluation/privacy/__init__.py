"""Can it be told from a model's answers which rows it learned from? Attacks on membership, and what they achieve."""
