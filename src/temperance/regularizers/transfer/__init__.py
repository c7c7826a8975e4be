"""Techniques for fine-tuning: they hold on to the weights that training starts from."""
