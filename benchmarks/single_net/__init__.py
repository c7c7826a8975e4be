"""Single nets: one run of a default rule beside the best of 20 static trials; see ``__main__``."""
