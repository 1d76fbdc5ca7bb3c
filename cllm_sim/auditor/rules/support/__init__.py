"""What several rules need: one topic for each file (or for each group of files that share the first word of their names)."""
