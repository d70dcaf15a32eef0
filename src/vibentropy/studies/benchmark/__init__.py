"""Speed, memory and scaling of descriptors, labels and predictions, here and elsewhere."""
