"""What a page computes itself: a digit drawn by hand through the models, a network to train."""
