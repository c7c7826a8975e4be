"""What is a better strength worth, and what gives it: per regime, beside the luck of the seed."""
