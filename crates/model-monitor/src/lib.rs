//! Model quality monitoring.
