"""The Lambda function: API Gateway's events in, its answers out."""

from apig_wsgi import make_lambda_handler

from application import app

# Text goes as text, which API Gateway takes at its real size; what is compressed or an image goes as base64. The API says BinaryMediaTypes for that.
lambda_handler = make_lambda_handler(
    app.server,
    binary_support=True,
    non_binary_content_type_prefixes=["text/", "application/json", "application/javascript", "image/svg+xml"],
)
