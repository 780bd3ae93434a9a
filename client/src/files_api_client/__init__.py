"""HTTP clients for OpenAI's Python SDK that make `files.create` work at any size.

client = OpenAI(base_url="https://…/v1", api_key="sk-…", http_client=files_api_client.Client())
client.files.create(file=open("5GB.bin", "rb"), purpose="user_data")
"""

from files_api_client.asynchronous import AsyncClient
from files_api_client.options import OnPending, Progress
from files_api_client.resolving import Unresolvable
from files_api_client.resuming import resume
from files_api_client.source import FileChanged
from files_api_client.synchronous import Client

__all__ = [
    "AsyncClient",
    "Client",
    "FileChanged",
    "OnPending",
    "Progress",
    "Unresolvable",
    "resume",
]
