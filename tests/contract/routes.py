"""Where each route is tested over HTTP."""

from typing import Final

_WHOLE_LIFE = ("test_files.py", "test_a_file_is_created_retrieved_listed_and_deleted")
_PART_BY_PART = ("test_uploads.py", "test_the_sdk_uploads_part_by_part")

# Route to module and test; another test fails if a route is missing here.
ROUTES: Final = {
    "POST /v1/files": _WHOLE_LIFE,
    "GET /v1/files": _WHOLE_LIFE,
    "GET /v1/files/{file_id}": _WHOLE_LIFE,
    "DELETE /v1/files/{file_id}": _WHOLE_LIFE,
    "GET /v1/files/{file_id}/content": ("test_files.py", "test_content_comes_back_byte_for_byte"),
    "HEAD /v1/files/{file_id}/content": (
        "test_downloads.py",
        "test_the_head_of_content_of_any_size_is_that_of_its_bytes",
    ),
    "GET /v1/files/{file_id}/url": (
        "test_downloads.py",
        "test_the_url_is_a_download_that_no_browser_renders",
    ),
    "GET /v1/usage": ("test_usage.py", "test_usage_is_that_of_the_files_that_are_there"),
    "GET /v1/files/{file_id}/parts": (
        "test_direct_parts.py",
        "test_a_file_in_parts_goes_on_after_its_client_lost_everything",
    ),
    **dict.fromkeys(
        ("GET /", "GET /console/{file}", "GET /docs", "GET /docs/{file}"),
        ("test_pages.py", "test_page_loads_without_a_key_with_all_that_it_names"),
    ),
    "GET /openapi.json": ("test_pages.py", "test_document_is_served_as_it_is_in_docs"),
    "POST /v1/uploads": _PART_BY_PART,
    "POST /v1/uploads/{upload_id}/parts": _PART_BY_PART,
    "POST /v1/uploads/{upload_id}/complete": _PART_BY_PART,
    "POST /v1/uploads/{upload_id}/cancel": (
        "test_uploads.py",
        "test_a_cancelled_upload_leaves_nothing",
    ),
}
