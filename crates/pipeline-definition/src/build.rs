//! A typed builder for definitions, with the shape that the SageMaker Python SDK emits.
