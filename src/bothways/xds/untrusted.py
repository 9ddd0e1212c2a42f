"""What no caller may say of itself: headers that are taken off every request, and off the trailers of one."""

from collections.abc import Iterable
from typing import Any

from envoy.config.common.mutation_rules.v3 import mutation_rules_pb2
from envoy.extensions.filters.http.header_mutation.v3 import header_mutation_pb2 as filter_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.extensions.http.early_header_mutation.header_mutation.v3 import header_mutation_pb2
from envoy.type.matcher.v3 import regex_pb2, string_pb2

from bothways.xds import names
from bothways.xds.typed import any_of, extension


def without_untrusted_headers(more: Iterable[str] = ()) -> Any:
    """Return the extension that takes them off before anything is set; `more` are names besides, as they are."""
    return extension(
        "envoy.http.early_header_mutation.header_mutation",
        header_mutation_pb2.HeaderMutation(mutations=_removed(more)),
    )


def trailers_filter() -> Any:
    """Return the filter, which is off: `without_untrusted_trailers()` switches it on for a service of HTTP/2.

    To others no trailers are handed on: Envoy drops them for HTTP/1.1, and takes none of HTTP/1.1.
    """
    return http_connection_manager_pb2.HttpFilter(
        name=names.TRAILERS_FILTER, typed_config=any_of(filter_pb2.HeaderMutation()), disabled=True
    )


def without_untrusted_trailers() -> Any:
    """Return the route's part of the filter: some servers merge trailers into headers (RFC 9110 section 6.5.1)."""
    return filter_pb2.HeaderMutationPerRoute(mutations=filter_pb2.Mutations(request_trailers_mutations=_removed()))


def _removed(more: Iterable[str] = ()) -> list[Any]:
    spelling = regex_pb2.RegexMatcher(regex=names.UNTRUSTED_SPELLING)
    matchers = [string_pb2.StringMatcher(safe_regex=spelling)]
    matchers += [string_pb2.StringMatcher(prefix=each) for each in names.UNTRUSTED_PREFIXES]
    matched = [mutation_rules_pb2.HeaderMutation.RemoveOnMatch(key_matcher=each) for each in matchers]
    whole = (*names.UNTRUSTED_HEADERS, *more)
    return [
        *(mutation_rules_pb2.HeaderMutation(remove_on_match=each) for each in matched),
        *(mutation_rules_pb2.HeaderMutation(remove=each) for each in whole),
    ]
