"""Events on their way: counted, taken to sinks, kept as long as they must be."""
