"""What authors of techniques reach for: classes, attacks, gradients, images, mixing, rows, sites, weights."""
