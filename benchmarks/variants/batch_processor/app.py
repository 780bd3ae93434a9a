"""Purge, with Powertools' batch processor in place of the loop of `files_api.api.triggers`."""

from typing import Any

from aws_lambda_powertools.utilities import batch
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from files_api import composition
from files_api.api.function import Event, Function
from files_api.aws.events import removed_record
from files_api.service.purge import Purge

processor = batch.BatchProcessor(event_type=batch.EventType.DynamoDBStreams)


def delete_leftovers(record: DynamoDBRecord) -> None:
    """Deletes what a removed record has left behind."""
    lambda_handler.start().removed([removed_record(record.raw_event)])


class _Processed(Function[Purge]):
    def handle(self, event: Event) -> dict[str, Any]:
        return dict(batch.process_partial_response(dict(event), delete_leftovers, processor))


lambda_handler = _Processed(composition.purge)
