"""DynamoDB, S3 and Lambda behind the ports of the service."""
