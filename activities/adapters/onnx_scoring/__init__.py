"""Has an ONNX model answer rows: within the inference server, and in a bounded child process of the evaluator."""
