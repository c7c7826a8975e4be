"""What ``temperance doctor`` looks at: one aspect of the machine or the environment per file."""
