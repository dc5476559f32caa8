"""Measurements of how fast Reelmood is, beside the plain way of doing the same: `reelmood bench`."""
