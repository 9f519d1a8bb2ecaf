"""The one artifact that all functions run: ``handler/`` and what it needs, and nothing else.

``sam build`` calls it through the Makefile, in a copy of the tree and with any Python, so it needs only the standard
library and pip. It installs for Lambda (arm64, CPython 3.13) from any machine, without Docker.

build      install, and compile
aws_data   what is kept of botocore's descriptions of AWS, and of its root certificates
"""
