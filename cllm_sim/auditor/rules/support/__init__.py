"""What several rules need: one topic for each file, or group of files that share their first word."""
