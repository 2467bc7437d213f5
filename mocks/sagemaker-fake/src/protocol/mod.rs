//! The protocols: which service and operation a request means, and how its answer is written.
