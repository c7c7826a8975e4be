"""Published results, reproduced in shape at small scale: one file each, P1 to P12."""
