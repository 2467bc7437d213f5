//! CloudWatch Logs: what jobs print.
