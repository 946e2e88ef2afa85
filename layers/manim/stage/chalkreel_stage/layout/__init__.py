"""Pages: what stands where, at which scale."""
