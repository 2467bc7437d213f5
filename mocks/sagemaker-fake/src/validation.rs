//! Requests against the constraints of AWS's own service models.
