"""What documents cannot say.

Everything else that schemathesis finds is a difference between a service and its document.
"""

import os
import re

import schemathesis
from hypothesis import strategies as st

# Nothing may be sent anywhere else than to the test's own receiver. A list of distinct ones takes up to five.
RECEIVER = os.environ["QUITTANCE_RECEIVER"]
schemathesis.openapi.format("uri", st.sampled_from([RECEIVER] + [f"{RECEIVER}?a={n}" for n in range(9)]))

# Texts with a grammar; what does not follow it comes among the invalid data.
schemathesis.openapi.format("cel-boolean", st.sampled_from(["true", "event.type != 'a'", "has(event.data.vip)"]))
schemathesis.openapi.format("cel", st.sampled_from(["event.data", "{'type': event.type}", "1.5"]))
schemathesis.openapi.format("cel-text", st.sampled_from(["'order.completed'", "headers['user-agent']"]))
schemathesis.openapi.format("media-type", st.sampled_from(["application/json", "application/vnd.shop+json; a=b"]))
schemathesis.openapi.format("label-selector", st.sampled_from(["", "a=b,c!=d", "e in (x,y),!g"]))
schemathesis.openapi.format("retry-step", st.sampled_from(os.environ["QUITTANCE_LADDER"].split(",")))

# Data that follow their schema, and yet are refused: by the problem's code and, where it lists errors, by the path of
# every one of them. The names and paths are narrow, so that anything else that is refused is still a failure.
REFUSALS = {
    # A cursor is what a page before gave.
    "invalid_cursor": None,
    # Types are in the catalogue, or not.
    "unknown_event_type": None,
    "unknown_schema_version": None,
    "schema_mismatch": None,
    # A changed schema must accept what the one before accepted.
    "incompatible_schema": None,
    # Samples are what event types have for examples.
    "no_sample": None,
    # The source says what tells the type.
    "event_type_missing": None,
    # Selectors have a grammar, durations have bounds, times have an order.
    "malformed_request": r"labelSelector|/overlap|/wait|/since",
    "invalid_cloudevent": "|".join(
        [
            # Data of another media type than JSON are a string.
            r"(/\d+)?/data(_base64)?",
            # CloudEvents without an id need an Idempotency-Key.
            r"(/\d+)?/id",
            # All attributes together are bounded.
            r"(/\d+)?",
        ]
    ),
    "invalid_resource": "|".join(
        [
            # As in the path.
            r"/metadata/(name|namespace)",
            # CEL, and steps of the installation's ladder, where data of the longest and shortest length are tried.
            r"/spec/(filter|transform|type/expression|id/expression)",
            r"/spec/delivery/retry/schedule/\d+",
            # JSON Schema, data that it accepts, versions that are not there twice, times in order.
            r"/spec/versions/\d+(/(schema|version|examples)(/.*)?)?",
            r"/spec/(versions/\d+/)?deprecated(/sunset)?",
            # None of them is the first URL.
            r"/spec/destination/webhook/fallbackUrls/\d+",
            # Durations have bounds.
            r"/spec/destination/webhook/timeout",
            r"/spec/delivery/hold",
            r"/spec/retention/(events|rejections)",
            r"/spec/verify(/(tolerance|timestamp(/tolerance)?|id|content))?",
            # What is put first needs its secrets; what they look like is up to the kind of proof.
            r"/secrets(/verify(/\d+)?|/handshakeToken)?",
        ]
    ),
}


# JSON can carry what Postgres cannot hold.
NOT_STORABLE = re.compile(r"U\+0000")


def _is_semantic(response) -> bool:
    try:
        problem = response.json()
        code = problem["code"]
        errors = problem.get("errors", [])
    except (ValueError, KeyError, TypeError):
        return False
    if code not in REFUSALS:
        return False
    paths = REFUSALS[code]
    return paths is None or (bool(errors) and all(_is_expected(error, paths) for error in errors))


def _is_expected(error, paths) -> bool:
    return bool(re.fullmatch(paths, error["path"]) or NOT_STORABLE.search(error["message"]))


@schemathesis.hook
def filter_failure(context, failure, case, response) -> bool:
    """False accepts the failure."""
    return type(failure).__name__ != "RejectedPositiveData" or not _is_semantic(response)
