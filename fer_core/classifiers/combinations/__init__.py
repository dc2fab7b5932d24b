"""Ways to make one answer of several members' answers; each stands in a file of its own and registers itself."""
