"""What training needs and inference does not."""
