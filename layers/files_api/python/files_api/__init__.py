"""The Files API: the code that its functions share.

- `api`: Lambda's side. Turns events into calls, and results and errors into answers.
- `service`: what the calls do. Knows neither HTTP nor AWS; `service.ports` is its outside.
- `aws`: DynamoDB, S3 and Lambda, behind those ports.
- `composition`: gives each function its service, made from the environment.
"""
