"""Words that a specification may not use as names, because an engine or the language uses them."""

import keyword

LITERALS = frozenset({"true", "false", "null", "otherwise", "any"})
LANGUAGE = frozenset({"state", "event", "next_state"})
SORTS = frozenset({"bool", "int", "map", "State", "Event"})
PREFIXES = ("next_", "is_", "_")
CONVENTIONS = ("on_", "before_", "after_", "error_", "done_state_", "done_invoke_")
"""python-statemachine calls names that start so: it would send an event `on_fill` itself on each `fill`."""

STATEMACHINE = frozenset(
    {
        "TransitionNotAllowed", "activate_initial_state", "active_configuration", "active_listeners", "add_listener",
        "allow_event_without_transition",
        "allowed_events", "atomic_configuration_update", "bind_events_to", "cancel_event", "catch_errors_as_events",
        "class_listeners", "configuration", "configuration_values", "current_state", "current_state_value", "delay",
        "enable_self_transition_entries", "enabled_events", "error_on_execution", "event_data", "events",
        "final_states", "history_values", "id", "initial_state", "internal", "is_terminated", "machine", "model",
        "name", "parent", "payload", "prepare", "prepare_event", "raise_", "send", "send_id", "source",
        "start_configuration_values", "start_value", "state_field", "states", "states_map", "target", "transition",
        "transitions", "validators",
    }
)  # fmt: skip
"""Names that python-statemachine gives a meaning; a test compares them with the installed library."""

RESERVED = LITERALS | LANGUAGE | STATEMACHINE | frozenset(word.lower() for word in keyword.kwlist)


def why_reserved_sort(name: str) -> str:
    """Return why an enumeration may not be called `name`, or an empty text iff it may."""
    return "the language itself uses it" if name in SORTS else why_reserved(name)


def why_reserved(name: str) -> str:
    """Return why `name` may not be declared, or an empty text iff it may."""
    if name in LITERALS | LANGUAGE or name.lower() in LITERALS:
        return "the language itself uses it"
    if name in STATEMACHINE:
        return "python-statemachine gives it a meaning and would drop or shadow yours"
    if keyword.iskeyword(name) or name in RESERVED:
        return "it is a Python keyword"
    if name.startswith(PREFIXES):
        return f"names that start with {', '.join(f'`{prefix}`' for prefix in PREFIXES)} are the language's own"
    if name.startswith(CONVENTIONS):
        return f"python-statemachine itself calls names that start with {', '.join(CONVENTIONS)}"
    return ""
