"""What is counted and measured."""

from typing import Final

from tests.rules.rule import Mutation, Rule

ALARMS: Final = "test_alarms.py"
DISCORD: Final = "handler/discord/test_counted_calls.py"
AWS: Final = "handler/aws/test_counted_calls.py"
TELEMETRY: Final = "handler/runtime/test_telemetry.py"

OPERATIONS: Final = (
    Rule(
        "A run that failed with Discord, the table or the token is counted as their failure alone",
        Mutation("reconciler", "not isinstance(error, _EXPLAINED)", "not isinstance(error, GuildNotAllowed)"),
        f"{ALARMS}::test_a_failure_sets_off_its_alarm_and_no_other[DiscordOutAlarm]",
    ),
    Rule(
        "A tick that fails says that the schedule runs",
        Mutation(
            "reconciler", "        telemetry.add_metric(Metric.DUE_GUILDS, 0)  # the schedule is not silent\n", ""
        ),
        "handler/test_reconciler.py::test_a_tick_that_cannot_read_the_table_is_over_and_says_that_it_was",
    ),
    Rule(
        "A request that was never sent is not counted by status",
        Mutation("discord/wire", "if fault is None or not issubclass(fault, _NEVER_SENT):", "if True:"),
        f"{DISCORD}::test_a_request_is_counted_by_how_it_ended",
    ),
    Rule(
        "A 429 of a limit that others share does not count towards Discord's ban",
        Mutation("discord/wire", ' and response.headers.get("x-ratelimit-scope") != "shared"', ""),
        f"{DISCORD}::test_a_request_is_counted_by_how_it_ended",
    ),
    Rule(
        "That a hint takes too long is no fault of Discord's",
        Mutation("discord/wire", "if fault is not None and not request.hint:", "if fault is not None:"),
        f"{DISCORD}::test_a_request_is_counted_by_how_it_ended",
    ),
    Rule(
        "A request that we cut off ourselves is no fault of Discord's",
        Mutation("discord/wire", "if fault is not None and not request.hint:", "if not request.hint:"),
        f"{DISCORD}::test_a_request_that_was_cut_off_was_sent_and_is_nobodys_fault",
    ),
    Rule(
        "What is held back because of a refused token is counted as refused",
        Mutation("discord/bot_token", "            telemetry.add_metric(Metric.TOKEN_REFUSED)\n", ""),
        f"{DISCORD}::test_what_is_held_back_because_of_a_refused_token_was_not_sent",
    ),
    Rule(
        "What AWS refuses for good is no outage",
        Mutation("aws/clients", "Metric.OPERATOR_FAULTS)\n            return", "Metric.OPERATOR_FAULTS)"),
        f"{AWS}::test_a_refusal_for_good_is_the_operators_fault_and_no_outage",
    ),
    Rule(
        "A condition that fails is no outage of the table",
        Mutation("aws/clients", 'response["ResponseMetadata"]["HTTPStatusCode"] >= 500', "True"),
        f"{AWS}::test_a_conflict_and_a_condition_that_fails_are_normal_answers",
    ),
    Rule(
        "What one alarm watches for all functions is written for the stack, too",
        Mutation("runtime/telemetry", "if of_stack and stack and function:", "if not of_stack and stack and function:"),
        f"{TELEMETRY}::test_the_stack_and_the_function_are_dimensions_and_what_one_alarm_watches_is_counted_for_the_stack_too",
    ),
    Rule(
        "A line has at most a hundred values of a metric",
        Mutation("runtime/telemetry", "MAX_VALUES: Final = 99", "MAX_VALUES: Final = 250"),
        f"{TELEMETRY}::test_a_share_keeps_each_value_however_many_there_are",
    ),
    Rule(
        "Refused requests are summed up for ten seconds",
        Mutation(
            "runtime/metrics", "TALLY_PAUSE: Final = timedelta(seconds=10)", "TALLY_PAUSE: Final = timedelta(seconds=1)"
        ),
        f"{TELEMETRY}::test_what_happens_too_often_is_summed_up_every_ten_seconds",
    ),
    Rule(
        "Refused requests are not logged one by one",
        Mutation("webhook", "        telemetry.leave_out_line()\n", "        pass\n"),
        f"{ALARMS}::test_refused_requests_are_counted_and_not_logged_one_by_one",
    ),
)
