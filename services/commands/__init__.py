"""What each `reelmood` command does."""
