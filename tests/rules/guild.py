"""The rules of docs/reconciler.md for guilds and channels that cannot be read, and for what a run may ask and cost."""

from typing import Final

from tests.rules.rule import Mutation, Rule

COSTS: Final = "reconciler/test_costs.py"
FAULTS: Final = "reconciler/test_faults.py"
FOLLOWING: Final = "reconciler/test_following.py"
LOST_CHANNELS: Final = "reconciler/test_lost_channels.py"
NEWS: Final = "reconciler/test_not_stuck.py"
RECONCILER_TESTS: Final = "handler/test_reconciler.py"

GUILDS: Final = (
    # Guilds and channels that cannot be read
    Rule(
        "A guild that cannot be read is asked less and less often",
        Mutation(
            "sessions/reconcile/guild", "MIN_PARK_PAUSE * 2 ** min(guild.parked, MAX_DOUBLINGS)", "MIN_PARK_PAUSE"
        ),
        f"{FAULTS}::test_a_guild_that_the_bot_left_is_parked_with_growing_pauses_and_comes_back_by_itself",
    ),
    Rule(
        "A parked guild is due at once when it is used",
        Mutation(
            "sessions/opening/reuse",
            "        await context.store.guilds.make_due(guild_id, now=context.clock.now())",
            "        return",
        ),
        f"{FAULTS}::test_a_parked_guild_comes_back_at_once_when_it_is_used",
    ),
    Rule(
        "Even a plain reuse makes a parked guild due",
        Mutation("sessions/reconcile/guild", '{"unreachable_since": iso(now)}', "{}"),
        f"{FAULTS}::test_a_guild_that_was_given_up_comes_back_even_by_a_reuse",
    ),
    Rule(
        "A channel that is gone or out of reach is parked",
        Mutation(
            "sessions/reconcile/channels",
            "if isinstance(state, Gone | OutOfReach) and observation.is_lost(channel_id):",
            "if False:",
        ),
        f"{LOST_CHANNELS}::test_the_sessions_of_a_lost_channel_stay_as_they_are_and_those_of_others_are_followed",
    ),
    Rule(
        "After one thread that is gone the channel is asked for before the rest",
        Mutation(
            "sessions/reconcile/channels",
            "            chosen += fetches if answers[channel_id] else fetches[:1]",
            "            chosen += fetches",
        ),
        f"{COSTS}::test_a_lost_channel_costs_two_requests_at_first_and_later_none",
    ),
    Rule(
        "A parked channel is asked for less and less often",
        Mutation(
            "sessions/reconcile/channels",
            "growing_pause(since, now, MIN_PARKED_PAUSE, MAX_PARKED_PAUSE)",
            "MIN_PARKED_PAUSE",
        ),
        f"{COSTS}::test_a_lost_channel_costs_two_requests_at_first_and_later_none",
    ),
    Rule(
        "A parked channel is taken up when the active list shows a thread of it",
        Mutation(
            "sessions/reconcile/observation", ("        if channel_id in self.parents:\n            return False\n"), ""
        ),
        f"{LOST_CHANNELS}::test_a_channel_that_a_list_shows_again_is_taken_up_at_once",
    ),
    Rule(
        "The sessions of a channel that is gone for a week are not watched",
        Mutation("sessions/reconcile/channels", "    yield from forgotten[:MAX_FORGOTTEN]", "    yield from ()"),
        f"{LOST_CHANNELS}::test_a_channel_that_stays_deleted_is_no_longer_read_with_each_run",
    ),
    Rule(
        "A channel that is only out of reach is never given up",
        Mutation(
            "sessions/reconcile/channels",
            (
                "        and parked.gone_since is not None\n"
                "        and observation.now - parse_iso(parked.gone_since) >= GONE_FOR_GOOD"
            ),
            "        and observation.now - parse_iso(parked.unreachable_since) >= GONE_FOR_GOOD",
        ),
        f"{LOST_CHANNELS}::test_a_hidden_channel_is_never_given_up",
    ),
    # The audit log
    Rule(
        "An audit log that may not be read is asked for less and less often",
        Mutation(
            "sessions/reconcile/guild", "growing_pause(since, now, MIN_AUDIT_PAUSE, MAX_AUDIT_PAUSE)", "MIN_AUDIT_PAUSE"
        ),
        f"{COSTS}::test_an_audit_log_that_may_not_be_read_is_asked_for_ever_more_seldom",
    ),
    Rule(
        "Without the audit log each run checks some archived sessions",
        Mutation("sessions/reconcile/observe", "    checks_archived = checks_archived or audit is None\n", ""),
        f"{FOLLOWING}::test_the_sweep_comes_to_every_archived_session_in_turn",
    ),
    Rule(
        "A session that was checked goes to the end of the order",
        Mutation(
            "sessions/reconcile/plan",
            (
                "        case Unclear() if thread_id in observation.in_audit_log:\n"
                "            yield from _plan_to_ask_again(observation, session)\n"
                "    if thread_id in observation.due_for_check:\n"
                "        yield MoveToEnd(session)\n"
            ),
            (
                "        case Unclear() if thread_id in observation.in_audit_log:\n"
                "            yield from _plan_to_ask_again(observation, session)\n"
            ),
        ),
        f"{FOLLOWING}::test_the_sweep_comes_to_every_archived_session_in_turn",
    ),
    Rule(
        "The last one who locked a thread is on record",
        Mutation(
            "sessions/reconcile/observe",
            "tuple(sorted(audit.entries, key=lambda entry: int(entry.id)))",
            "tuple(sorted(audit.entries, key=lambda entry: -int(entry.id)))",
        ),
        f"{FOLLOWING}::test_the_audit_log_tells_who_locked",
    ),
    Rule(
        "Of an audit log that was empty everything that comes is read",
        Mutation("sessions/reconcile/guild", "first = None if denied else FIRST_AUDIT_WATERMARK", "first = None"),
        f"{COSTS}::test_of_a_log_that_was_empty_at_first_nothing_is_missed_later",
    ),
    # Pace and cost
    Rule(
        "A run makes five requests a second",
        Mutation("sessions/reconcile/pace", "REQUESTS_PER_SECOND: Final = 5.0", "REQUESTS_PER_SECOND: Final = 50.0"),
        f"{RECONCILER_TESTS}::test_guilds_of_one_event_share_one_pace",
    ),
    Rule(
        "A run fetches at most two hundred threads",
        Mutation("sessions/reconcile/observe", "        skip = count >= MAX_FETCHES", "        skip = False"),
        f"{NEWS}::test_of_more_archivings_than_a_run_may_ask_for_each_is_looked_at_in_the_end",
    ),
    Rule(
        "A run ends a bounded number of generations",
        Mutation("sessions/reconcile/plan", "    yield from ends[:MAX_ENDS]", "    yield from ends"),
        f"{LOST_CHANNELS}::test_no_run_ends_more_generations_than_fit_in_it",
    ),
    Rule(
        "Generations are ended after everything else",
        Mutation("sessions/reconcile/plan", "            ends.append(action)\n", "            yield action\n"),
        f"{LOST_CHANNELS}::test_no_run_ends_more_generations_than_fit_in_it",
    ),
    Rule(
        "Each run begins at another thread",
        Mutation(
            "sessions/reconcile/pace",
            "    first = crc32(iso(now).encode()) % len(items) if items else 0",
            "    first = 0",
        ),
        f"{LOST_CHANNELS}::test_threads_that_never_answer_do_not_keep_the_others_from_being_read",
    ),
    Rule(
        "A tick sends nothing while guilds of an earlier one wait",
        Mutation("reconciler", "    if waiting is None or waiting <= min(due - 1, FEW_GUILDS):", "    if True:"),
        f"{RECONCILER_TESTS}::test_few_guilds_do_not_pile_up_either",
    ),
    Rule(
        "A 429 ends the run",
        Mutation(
            "sessions/reconcile/result",
            "except (BotTokenRefused, RateLimited, StoreUnavailable):",
            "except (BotTokenRefused, StoreUnavailable):",
        ),
        f"{FAULTS}::test_a_429_in_the_middle_ends_the_run",
    ),
    Rule(
        "Where nothing changed a run writes nothing",
        Mutation(
            "sessions/reconcile/guild",
            "QUIET_WRITE_INTERVAL: Final = timedelta(minutes=30)",
            "QUIET_WRITE_INTERVAL: Final = timedelta(0)",
        ),
        f"{COSTS}::test_with_nothing_changed_it_costs_one_list_one_audit_request_and_one_query",
    ),
    Rule(
        "A minute of talk is not worth a write",
        Mutation(
            "sessions/reconcile/changes",
            "MIN_ACTIVITY_STEP: Final = timedelta(hours=1)",
            "MIN_ACTIVITY_STEP: Final = timedelta(0)",
        ),
        f"{COSTS}::test_an_hour_of_talk_is_one_write_and_a_minute_of_talk_none",
    ),
)
