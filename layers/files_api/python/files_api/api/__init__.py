"""Lambda's side: from an event to a call, and from its result to an answer."""
