"""The rules of docs/reconciler.md.

`guild` and `housekeeping` have the others of the reconciler.
"""

from typing import Final

from tests.rules.rule import Mutation, Rule

CLAIMS: Final = "reconciler/test_claims.py"
COSTS: Final = "reconciler/test_costs.py"
FAULTS: Final = "reconciler/test_faults.py"
FOLLOWING: Final = "reconciler/test_following.py"
KILLS: Final = "reconciler/test_kills.py"
LOST_ROLES: Final = "reconciler/test_lost_roles.py"
NEWS: Final = "reconciler/test_not_stuck.py"
PLAN: Final = "handler/sessions/reconcile/test_plan.py"
RECONCILER_TESTS: Final = "handler/test_reconciler.py"
SIDE_BY_SIDE: Final = "reconciler/test_side_by_side.py"
UNREADABLE: Final = "reconciler/test_unreadable.py"

RECONCILER: Final = (
    # Observe, plan, confirm, apply
    Rule(
        "What a plan would change is read once more, consistently",
        Mutation("sessions/reconcile/run", "    if not pairs:  #", "    if True:  #"),
        f"{SIDE_BY_SIDE}::test_what_an_earlier_run_wrote_is_not_written_again_while_the_index_does_not_show_it",
    ),
    Rule(
        "A thread whose record has changed since the list was read is fetched",
        Mutation(
            "sessions/reconcile/observation",
            "if s != before[s.pair] or s.thread_id in unfetched",
            "if s.thread_id in unfetched",
        ),
        f"{SIDE_BY_SIDE}::test_what_was_closed_after_the_list_was_read_is_not_opened_again_by_it",
    ),
    Rule(
        "Of a record that was first read after the list, the thread is fetched",
        Mutation("sessions/reconcile/observation", " or s.thread_id in unfetched)", ")"),
        f"{SIDE_BY_SIDE}::test_a_thread_that_was_archived_right_after_the_list_was_read_is_not_opened_on_record",
    ),
    Rule(
        "A write is on condition that the record is as it was read",
        Mutation("sessions/reconcile/result", "update(session, changes, as_read=True)", "update(session, changes)"),
        f"{SIDE_BY_SIDE}::test_what_was_closed_after_the_list_was_read_is_not_opened_again_by_it",
    ),
    Rule(
        "A namesake is noted before the new name is on record",
        Mutation(
            "sessions/reconcile/plan",
            (
                "    yield from _plan_rename(observation, names, session, thread)\n"
                "    locked_by = observation.locked_by.get(thread.id)\n"
                "    if changes := changes_from_thread(session, thread, observation.now, locked_by=locked_by):\n"
                "        yield UpdateSession(session, changes)\n"
            ),
            (
                "    locked_by = observation.locked_by.get(thread.id)\n"
                "    if changes := changes_from_thread(session, thread, observation.now, locked_by=locked_by):\n"
                "        yield UpdateSession(session, changes)\n"
                "    yield from _plan_rename(observation, names, session, thread)\n"
            ),
        ),
        f"{KILLS}::test_killed_while_it_writes_a_rename_down_the_next_run_still_notes_the_new_name",
    ),
    # Deletions
    Rule(
        "What seems deleted is ended only with the evidence",
        Mutation(
            "sessions/reconcile/apply",
            "        end = await end_generation(context, session)\n",
            ("        await context.store.sessions.end_generation(session, now=now)\n        end = Ended()\n"),
        ),
        f"{FAULTS}::test_a_discord_that_denies_every_thread_by_its_id_loses_no_mapping",
    ),
    Rule(
        "Many deletions at once are held back",
        Mutation(
            "sessions/reconcile/plan", "    bulk = ends > FEW_DELETIONS", "    bulk = False and ends > FEW_DELETIONS"
        ),
        f"{FAULTS}::test_more_are_held_back_reported_and_carried_out_half_an_hour_later",
    ),
    Rule(
        "A fifth of the sessions that answer may be deleted at once",
        Mutation("sessions/reconcile/plan", " and ends * ONE_IN > clear", ""),
        f"{FAULTS}::test_a_fifth_of_many_is_believed_at_once",
    ),
    Rule(
        "Only sessions that gave a clear answer count towards the fifth",
        Mutation(
            "sessions/reconcile/plan",
            "    clear = sum(isinstance(observation.find_state(thread_id), Channel | Gone) for",
            "    clear = sum(True or thread_id for",
        ),
        f"{PLAN}::test_threads_without_a_clear_answer_do_not_count_as_looked_at",
    ),
    Rule(
        "A held deletion waits for half an hour",
        Mutation(
            "sessions/reconcile/plan",
            "parse_iso(session.problem.missing_since) < HOLD_TIME",
            "parse_iso(session.problem.missing_since) < HOLD_TIME / 2",
        ),
        f"{FAULTS}::test_more_are_held_back_reported_and_carried_out_half_an_hour_later",
    ),
    Rule(
        "A held deletion waits its time however few are left",
        Mutation(
            "sessions/reconcile/plan",
            "    if session.problem.missing_since is None:\n",
            "    if session.problem.missing_since is None or not bulk:\n",
        ),
        f"{FAULTS}::test_what_was_held_back_waits_its_time_however_few_are_left",
    ),
    Rule(
        "A thread that answers again is not held any more",
        Mutation("sessions/reconcile/changes", "    if flags := session.problem.flags:", "    if flags := ():"),
        f"{FAULTS}::test_what_was_held_back_waits_its_time_however_few_are_left",
    ),
    Rule(
        "An archived thread whose deletion is held is watched until then",
        Mutation(
            "sessions/reconcile/changes",
            '"ask_again_at": None, "watch_guild_id": session.guild_id}',
            '"ask_again_at": None}',
        ),
        f"{FAULTS}::test_deletions_of_archived_threads_are_held_back_and_not_forgotten",
    ),
    Rule(
        "A person can let held deletions through",
        Mutation("sessions/reconcile/plan", "observation.let_through or ", ""),
        f"{FAULTS}::test_a_person_lets_held_deletions_through",
    ),
    Rule(
        "A thread out of reach is kept",
        Mutation(
            "sessions/reconcile/apply",
            "    except (ChannelGone, MissingAccess, MissingPermissions) as error:",
            "    except ZeroDivisionError as error:",
        ),
        f"{NEWS}::test_a_deletion_that_was_heard_of_while_the_channel_could_not_be_read_is_found_later",
    ),
    Rule(
        "A thread out of reach is asked for less and less often",
        Mutation(
            "sessions/reconcile/changes",
            "growing_pause(since, now, MIN_UNREACHABLE_PAUSE, MAX_UNREACHABLE_PAUSE)",
            "MIN_UNREACHABLE_PAUSE",
        ),
        f"{FAULTS}::test_what_is_out_of_reach_is_kept_and_asked_for_ever_more_seldom",
    ),
    Rule(
        "Deletions are let through only until the time that was set",
        Mutation(
            "sessions/reconcile/observe",
            'let_through=(guild.let_through_until or "") > iso(now),',
            "let_through=guild.let_through_until is not None,",
        ),
        f"{FAULTS}::test_a_person_lets_held_deletions_through",
    ),
    Rule(
        "An item that cannot be read is passed over",
        Mutation(
            "store/reading",
            ("        except UnreadableItem:\n            rest.append(item)"),
            ("        except ZeroDivisionError:\n            rest.append(item)"),
        ),
        f"{UNREADABLE}::test_a_run_goes_on_without_a_session_that_cannot_be_read",
    ),
    Rule(
        "An audit entry that cannot be read is passed over",
        Mutation(
            "discord/decode",
            '            unreadable.append(entry_id if is_id else "")',
            "            raise ValueError(entry_id)",
        ),
        f"{UNREADABLE}::test_a_run_goes_on_without_an_audit_entry_that_cannot_be_read",
    ),
    Rule(
        "Held deletions are a metric",
        Mutation("reconciler", "            telemetry.add_metric(metric, number)\n", "            pass\n"),
        f"{RECONCILER_TESTS}::test_held_deletions_are_a_metric_and_actions_are_counted_by_name",
    ),
    # What was heard of once
    Rule(
        "After a run that lost an action the audit log is read again from where it was",
        Mutation("sessions/reconcile/run", 'complete = not counts["lost"]', "complete = True"),
        f"{NEWS}::test_what_a_run_lost_to_an_open_is_heard_of_again_by_the_next_run",
    ),
    Rule(
        "An action that failed is kept for the next run",
        Mutation(
            "sessions/reconcile/apply",
            "if isinstance(action, actions.UpdateSession | actions.EndGeneration | actions.HoldDeletion):",
            "if False:",
        ),
        f"{NEWS}::test_a_deletion_that_was_heard_of_and_could_not_be_proved_is_proved_by_the_next_run",
    ),
    Rule(
        "A thread that gave no clear answer is asked for by the next run",
        Mutation("sessions/reconcile/plan", "        case Unclear() if thread_id in", "        case Unclear() if 0 in"),
        f"{NEWS}::test_a_deletion_that_was_heard_of_while_the_thread_did_not_answer_is_believed_once_it_does",
    ),
    # The channel's watermark
    Rule(
        "Where a thread was archived the channel's watermark moves",
        Mutation("sessions/reconcile/plan", "    for channel_id in sorted(channels):\n", "    for channel_id in ():\n"),
        f"{COSTS}::test_where_a_thread_was_archived_the_mark_of_its_channel_moves_on_and_what_lies_there_is_settled",
    ),
    Rule(
        "A watermark does not move past pages that were not read",
        Mutation("sessions/reconcile/watermark", "    if archived.has_more:", "    if False:"),
        f"{COSTS}::test_a_mark_that_lies_far_behind_is_left_to_an_opener",
    ),
    Rule(
        "The watermark moves before the thread is archived on record",
        Mutation(
            "sessions/reconcile/plan",
            "actions=(*watermarks, *_put_ends_last(observation, _hold_back(observation, actions))))",
            "actions=(*_put_ends_last(observation, _hold_back(observation, actions)), *watermarks))",
        ),
        f"{COSTS}::test_after_a_death_between_them_the_mark_has_moved_and_the_thread_is_not_archived_on_record_yet",
    ),
    # Threads and claims
    Rule(
        "In a channel where nobody has opened a session a thread only becomes a namesake",
        Mutation(
            "sessions/reconcile/apply",
            "    channel = await context.store.channels.get(action.parent_channel_id)\n",
            (
                "    from handler.store.items import ChannelItem\n"
                '    channel = ChannelItem(channel_id=action.parent_channel_id, guild_id="1", kind=0)\n'
            ),
        ),
        f"{FOLLOWING}::test_in_a_channel_without_sessions_a_thread_is_noted_for_its_first_opener",
    ),
    Rule(
        "A closed session stays closed while its thread is archived",
        Mutation(
            "sessions/reconcile/changes",
            "status = session.status if thread.archived else Status.OPEN",
            "status = Status.OPEN",
        ),
        f"{PLAN}::test_a_closed_session_opens_with_its_thread_and_not_before",
    ),
    Rule(
        "A thread that was merged is left alone",
        Mutation(
            "sessions/reconcile/observe",
            "frozenset(merged | unreadable | pointers.unreadable)",
            "frozenset(unreadable | pointers.unreadable)",
        ),
        f"{FOLLOWING}::test_a_thread_that_was_merged_is_ignored_whatever_it_is_called",
    ),
    Rule(
        "A namesake is removed for a 404 only if the audit log has its deletion",
        Mutation(
            "sessions/reconcile/plan",
            "            yield RemoveNamesake(namesake) if deleted else UnwatchNamesake(namesake)",
            "            yield RemoveNamesake(namesake)",
        ),
        f"{FOLLOWING}::test_a_namesake_that_is_denied_once_is_still_found_by_a_look_up",
    ),
    Rule(
        "A claim whose lease is live is left alone",
        Mutation("sessions/reconcile/plan", ("    if session.lease.is_live(observation.now):\n        return\n"), ""),
        f"{CLAIMS}::test_a_live_claim_is_left_alone",
    ),
    Rule(
        "A claim with nothing recorded becomes vacant with the same generation",
        Mutation("store/claims", "vacant_attributes(session.generation", "vacant_attributes(session.generation + 1"),
        f"{CLAIMS}::test_a_dead_claim_with_nothing_recorded_is_dropped",
    ),
    # Private sessions
    Rule(
        "Whom somebody added to a private session by name stays when a role is lost",
        Mutation(
            "sessions/reconcile/lost_roles", " and user_id not in (session.creator_id, *session.member_ids):", ":"
        ),
        f"{LOST_ROLES}::test_who_lost_the_role_is_removed_and_nobody_else",
    ),
    Rule(
        "Who has one of the session's roles again stays",
        Mutation(
            "sessions/threads/members",
            "        if not (await context.discord.member_roles(session.guild_id, user_id)).isdisjoint(session.role_ids):\n"
            "            return\n",
            "",
        ),
        f"{LOST_ROLES}::test_who_has_it_again_or_another_of_the_sessions_roles_stays",
    ),
    Rule(
        "The audit log is read again from where it was if somebody could not be removed",
        Mutation(
            "sessions/reconcile/apply", 'counts["lost"] += 1  # the audit log is read again from where it was', "pass"
        ),
        f"{LOST_ROLES}::test_a_run_that_cannot_remove_somebody_leaves_it_to_the_next_one",
    ),
)
