"""The rules of docs/protocol.md."""

from typing import Final

from tests.rules.rule import Mutation, Rule

EVIDENCE: Final = "scenarios/test_evidence.py"
ADOPTION: Final = "scenarios/test_adoption.py"
IMPORTING: Final = "scenarios/test_importing.py"
TOO_MANY: Final = "scenarios/test_too_many.py"
SEARCH: Final = "scenarios/test_search.py"
NAMES: Final = "scenarios/test_changed_names.py"
STORE: Final = "handler/store/test_store.py"
CLAIMS: Final = "handler/store/test_claims.py"
MERGE: Final = "handler/sessions/duplicates/test_merge.py"
CREATION: Final = "scenarios/test_creation.py"
DELETION: Final = "scenarios/test_deletion.py"
TOPICS: Final = "scenarios/test_topics.py"
UNREADABLE: Final = "reconciler/test_unreadable.py"
CHANNELS: Final = "handler/store/test_channels.py"
HOUSEKEEPING: Final = "reconciler/test_housekeeping.py"
REUSE: Final = "scenarios/test_reuse.py"

PROTOCOL: Final = (
    # Record
    Rule(
        "Of a generation only the first source message is recorded",
        Mutation("store/clauses", '{SAME_GENERATION} AND {NOTHING_RECORDED}"\n# Crea', '{SAME_GENERATION}"\n# Crea'),
        f"{STORE}::test_the_first_source_message_stays_and_the_loser_gets_it",
    ),
    Rule(
        "A source message is recorded only for the generation that was read",
        Mutation(
            "store/clauses",
            'RECORDABLE: Final = f"{STILL_CREATING} AND {SAME_GENERATION}',
            'RECORDABLE: Final = f"{STILL_CREATING}',
        ),
        f"{STORE}::test_a_late_record_is_lost",
    ),
    Rule(
        "Of two source messages the loser's is deleted again",
        Mutation("sessions/opening/create", "elif write.session is None or", "elif False and"),
        "exactly_once/test_races.py::test_a_record_that_lands_late_does_not_take_the_place_of_another_ones_message",
    ),
    # Claim
    Rule(
        "Only an absent or vacant session is claimed",
        Mutation("store/claims", 'OR {clauses.IS_VACANT}"', 'OR attribute_exists(pk)"'),
        f"{CLAIMS}::test_a_second_claim_is_lost_and_returns_the_first_one",
    ),
    Rule(
        "Who meets a live claim waits",
        Mutation("sessions/opening/next_step", "NextStep.WAIT if session.lease.is_live(now) else ", ""),
        f"{CREATION}::test_who_meets_a_live_claim_waits_and_is_linked",
    ),
    Rule(
        "A claim is taken over only with its lease as it was read",
        Mutation("store/claims", ' AND {clauses.lease_as_read(session)}"', '"'),
        f"{CLAIMS}::test_a_lease_that_was_renewed_since_it_was_read_is_not_taken_over",
    ),
    Rule(
        "A slow opener renews its lease",
        Mutation("sessions/opening/claim", "> RENEW_BELOW:", "> -RENEW_BELOW:"),
        f"{CREATION}::test_who_is_slow_keeps_the_claim_and_the_other_one_starts_nothing",
    ),
    # Look
    Rule(
        "Every round of an open looks for the thread itself",
        Mutation(
            "sessions/opening/create",
            "    if found.adoptable:\n",
            "    found = create.__dict__.setdefault(id(opener.context), found)\n    if found.adoptable:\n",
        ),
        f"{ADOPTION}::test_a_thread_that_a_person_makes_between_two_rounds_is_adopted",
    ),
    # Anchor
    Rule(
        "All openers of a generation post with the same nonce",
        Mutation(
            "sessions/opening/create",
            "source_nonce(channel_id, session.session_key,",
            "source_nonce(channel_id, opener.owner,",
        ),
        "exactly_once/test_deaths.py::test_after_a_death_the_next_open_ends_with_one_linked_thread",
    ),
    Rule(
        "Each generation has its own nonce",
        Mutation("sessions/threads/source_message", "session_key, str(generation))", "session_key)"),
        f"{DELETION}::test_thread_and_source_message_both_deleted_within_the_nonces_window_are_made_anew",
    ),
    # Start and commit
    Rule(
        "A thread that was started before is fetched",
        Mutation("sessions/opening/create", "(refusals.THREAD_ALREADY_CREATED, refusals", "(0, refusals"),
        f"{CREATION}::test_after_a_death_the_thread_that_was_started_is_fetched_and_keeps_its_source_message",
    ),
    Rule(
        "A thread is committed only for the generation of its source message",
        Mutation("store/sessions", ' AND {clauses.SAME_GENERATION} AND {clauses.SAME_SOURCE}"', '"'),
        f"{STORE}::test_a_commit_for_an_ended_generation_does_not_change_the_next_claim",
    ),
    # Reuse
    Rule(
        "Every open of a session that housekeeping might delete leaves a trace",
        Mutation(
            "sessions/threads/record", "if not changes and not idle and not flagged", "if not changes and not flagged"
        ),
        f"{HOUSEKEEPING}::test_an_open_before_the_first_run_counts_as_activity_even_where_it_found_nothing_to_do",
    ),
    Rule(
        "An open clears the mark for deletion",
        Mutation("sessions/threads/record", "(*Deletion.MARK, *Problem", "(*(), *Problem"),
        f"{HOUSEKEEPING}::test_an_open_between_the_two_runs_clears_the_mark_and_counts_as_activity",
    ),
    # Topics
    Rule(
        "A topic ends with its generation",
        Mutation("store/items", "tuple(_attribute_names())", 'tuple({*_attribute_names()} - {"topic"})'),
        f"{TOPICS}::test_a_topic_does_not_come_back_after_thread_and_message_were_deleted",
    ),
    Rule(
        "The next open shows the topic that a crash left unshown",
        Mutation("sessions/threads/source_message", "return session.topic_to_show is not None or (", "return ("),
        f"{TOPICS}::test_after_a_death_at_any_step_the_next_open_shows_the_topic",
    ),
    # Locks
    Rule(
        "A moderator's lock is lifted only for who may",
        Mutation("sessions/threads/locks", "return requester.may_unlock or policy", "return True or policy"),
        f"{REUSE}::test_a_member_is_told_of_the_lock_with_the_link_and_nothing_is_changed_on_discord",
    ),
    Rule(
        "A lock that this app placed is lifted for anybody",
        Mutation("sessions/threads/locks", ' or policy == "everyone" or ours', ' or policy == "everyone"'),
        f"{REUSE}::test_a_lock_that_this_app_had_placed_is_lifted_for_anybody_and_forgotten",
    ),
    # What cannot be read
    Rule(
        "A thread whose owner cannot be read is not made again",
        Mutation("sessions/threads/look_up", "    if owners.unreadable:\n", "    if False:\n"),
        f"{UNREADABLE}::test_a_thread_whose_owner_cannot_be_read_is_neither_adopted_nor_doubled",
    ),
    Rule(
        "A listed thread of another shape is read by itself",
        Mutation(
            "sessions/threads/look_up",
            "            return None\n        raise\n",
            "            return None\n        return None\n",
        ),
        f"{UNREADABLE}::test_a_look_up_reads_a_listed_thread_of_another_shape_by_itself",
    ),
    # Evidence
    Rule(
        "A thread in the active list is not gone, whatever its GET says",
        Mutation("sessions/threads/generation", "(*active, *archived.threads)", "archived.threads"),
        f"{EVIDENCE}::test_a_thread_in_the_active_list_is_kept_though_it_is_always_called_unknown",
    ),
    Rule(
        "Nothing counts as deleted while the parent channel does not answer",
        Mutation(
            "sessions/threads/generation",
            "archived = await gather(\n        fetch_parent(context, channel_id),\n",
            "archived = await gather(\n        fetch_thread(context, session),\n",
        ),
        f"{EVIDENCE}::test_while_the_parent_channel_does_not_answer_nothing_counts_as_deleted",
    ),
    Rule(
        "A thread archived again since it was recorded is on the newest page",
        Mutation("sessions/threads/generation", "if found is None and before is not None:", "if False:"),
        f"{EVIDENCE}::test_a_thread_archived_again_since_it_was_recorded_is_on_the_newest_page_and_kept",
    ),
    Rule(
        "A 404 is evidence only with code 10003",
        Mutation("discord/rest", "            refusals.raise_unless_gone(missing)\n", ""),
        f"{EVIDENCE}::test_a_started_thread_that_answers_anything_but_unknown_channel_is_not_started_again",
    ),
    Rule(
        "A 403 is no evidence",
        Mutation(
            "sessions/threads/requests",
            (
                "    return await translate_refusals(\n"
                '        context, session.parent_channel_id, context.discord.channel_or_none(session.thread_id or "")\n'
                "    )"
            ),
            (
                "    try:\n"
                '        return await context.discord.channel_or_none(session.thread_id or "")\n'
                "    except DiscordRefused:\n"
                "        return None"
            ),
        ),
        f"{EVIDENCE}::test_a_thread_on_record_that_is_refused_is_not_deleted",
    ),
    Rule(
        "Before a source message is deleted its thread is looked for",
        Mutation(
            "sessions/opening/reuse",
            "end = await end_generation(opener.context, session)",
            "end = await end_generation(opener.context, session, refused=True)",
        ),
        f"{EVIDENCE}::test_one_lying_answer_costs_neither_the_thread_nor_its_source_message",
    ),
    Rule(
        "One 404 of a namesake alone is a fault",
        Mutation("sessions/threads/namesakes", "if thread is None:  # one", "if False:  # one"),
        f"{EVIDENCE}::test_a_namesake_that_is_called_unknown_once_is_adopted_all_the_same",
    ),
    Rule(
        "Beyond ten pages a second 404 is needed",
        Mutation("sessions/threads/generation", "if found is None and archived.has_more:", "if False:"),
        f"{EVIDENCE}::test_beyond_ten_pages_a_thread_that_answers_in_the_end_is_kept",
    ),
    # The end of a generation
    Rule(
        "A generation ends only as it was read",
        Mutation(
            "store/sessions",
            '" AND ".join(conditions),\n            sets=clauses',
            '"attribute_exists(pk)",\n            sets=clauses',
        ),
        f"{STORE}::test_an_older_read_does_not_end_a_session_that_changed_since",
    ),
    Rule(
        "The pointer ends with the generation",
        Mutation("store/sessions", "if lets_go else unpoint(self._table, session)", "if lets_go else []"),
        f"{DELETION}::test_a_deleted_thread_is_made_anew_under_the_next_generation",
    ),
    Rule(
        "A refused start leaves no source message",
        Mutation("sessions/opening/create", "await end_generation(context, session, refused=True)", "Ended()"),
        "scenarios/test_refusals.py::test_a_name_that_automod_refuses_leaves_nothing_and_another_one_opens",
    ),
    # Adoption and namesakes
    Rule(
        "Of several threads the one with most messages is adopted",
        Mutation("sessions/threads/match", "(-(t.message_count or 0), -t", "(0, -t"),
        f"{ADOPTION}::test_of_several_the_one_with_most_messages_is_adopted_and_the_others_noted",
    ),
    Rule(
        "Then the latest activity decides, then the smallest id",
        Mutation("sessions/threads/match", "-t.last_activity.timestamp(), int(t.id))", "0, -int(t.id))"),
        "handler/sessions/threads/test_match.py::test_the_best_thread_has_most_messages_then_the_latest_activity_then_the_smallest_id",
    ),
    Rule(
        "The threads that are not adopted become namesakes",
        Mutation("sessions/opening/adopt", "for other in matches[1:]\n", "for other in ()\n"),
        f"{ADOPTION}::test_of_several_the_one_with_most_messages_is_adopted_and_the_others_noted",
    ),
    Rule(
        "A thread that was merged is nobody's",
        Mutation("sessions/threads/match", "    if pointer.merged_into is not None:\n        return False\n", ""),
        f"{ADOPTION}::test_a_merged_thread_is_no_match",
    ),
    Rule(
        "A thread that another session has is not adopted",
        Mutation("sessions/threads/match", "return owner is None or not owner.has(pointer.thread_id)", "return True"),
        "scenarios/test_renaming.py::test_one_thread_is_never_on_record_for_two_sessions",
    ),
    Rule(
        "A pointer is taken over only from a session that has lost the thread",
        Mutation("store/pointers", "return [table.build_check(former,", "return [] and [table.build_check(former,"),
        f"{STORE}::test_a_pointer_is_taken_over_only_if_its_session_no_longer_has_the_thread",
    ),
    # Other names
    Rule(
        "A thread with another name than asked for is noted by both",
        Mutation(
            "sessions/threads/namesakes",
            "if key == session_key or thread.type",
            "if True or thread.type",
        ),
        f"{NAMES}::test_who_opens_the_name_that_the_thread_really_bears_is_led_to_it",
    ),
    Rule(
        "A thread that another bot started is renamed once",
        Mutation("sessions/opening/create", "or thread.owner_id in ours or", "or True or"),
        f"{NAMES}::test_a_thread_that_another_bot_started_from_our_message_gets_the_sessions_name",
    ),
    Rule(
        "A thread of the same letters is believed only beneath our message",
        Mutation("sessions/threads/other_names", "return message.author.id ==", "return True or message.author.id =="),
        f"{NAMES}::test_a_thread_of_the_same_letters_is_believed_only_if_our_message_names_the_session",
    ),
    # Import and watermark
    Rule(
        "A name without a thread creates none until the past is read",
        Mutation(
            "sessions/protocol",
            "channel.imported_at is None and not has_begun",
            "channel.imported_at is None and session is None",
        ),
        f"{IMPORTING}::test_a_name_that_is_on_record_without_a_thread_is_searched_for_in_the_past_too",
    ),
    Rule(
        "An import moves on only when what it has read is settled",
        Mutation(
            "sessions/opening/channel_import",
            "        await settle(context, channel, threads,",
            (
                "        await context.store.channels.advance_import(channel, then)\n"
                "        await settle(context, channel, threads,"
            ),
        ),
        f"{IMPORTING}::test_a_death_right_after_the_import_has_moved_on_loses_none_of_the_threads_it_has_read",
    ),
    Rule(
        "An import advances only from where it was read",
        Mutation("store/channels", '" AND ".join([*clauses, "attribute', '" AND ".join(["attribute'),
        f"{CHANNELS}::test_an_import_advances_only_from_where_it_was_read_and_ends_once",
    ),
    Rule(
        "At its end an import reads the active list again",
        Mutation("sessions/opening/channel_import", "(*threads, *own, *moved.threads)", "(*threads, *moved.threads)"),
        f"{IMPORTING}::test_a_thread_that_is_unarchived_meanwhile_is_not_missed",
    ),
    Rule(
        "At its end an import reads what was archived meanwhile",
        Mutation("sessions/opening/channel_import", "(*threads, *own, *moved.threads)", "(*threads, *own)"),
        f"{IMPORTING}::test_a_thread_that_moves_to_page_one_meanwhile_is_not_missed",
    ),
    Rule(
        "A watermark moves only past what is settled",
        Mutation(
            "sessions/threads/settle",
            "    await settle(context, channel, archived)",
            (
                "    await context.store.channels.advance_watermark(channel, started_at)\n"
                "    await settle(context, channel, archived)"
            ),
        ),
        f"{ADOPTION}::test_after_a_mark_has_moved_a_death_leaves_no_thread_behind_it",
    ),
    Rule(
        "A watermark moves only from the value that was read, and forwards",
        Mutation("store/channels", '"#imported_at = :read AND #imported_at < :to"', '"attribute_exists(pk)"'),
        f"{CHANNELS}::test_the_watermark_only_advances_and_only_from_the_value_that_was_read",
    ),
    Rule(
        "What is too much for one look-up is imported",
        Mutation("sessions/opening/create", "if not looked.complete:", "if False:"),
        f"{TOO_MANY}::test_the_one_old_thread_beyond_the_bound_is_adopted_and_not_made_again",
    ),
    Rule(
        "An import of what was too much ends at the former watermark",
        Mutation("sessions/opening/channel_import", " or (since is not None and onward < since)", ""),
        f"{TOO_MANY}::test_an_import_after_too_many_archived_threads_ends_at_the_former_mark",
    ),
    Rule(
        "Too many namesakes for one look-up are no proof that there is no thread",
        Mutation("sessions/threads/look_up", "and len(unlisted) > len(chosen):", "and False:"),
        f"{TOO_MANY}::test_each_open_reads_some_of_many_namesakes_until_none_is_left",
    ),
    # Search
    Rule(
        "The search is asked beside each look-up",
        Mutation(
            "sessions/threads/look_up", "    listed |= {t.id: t for t in await read_hits(context, hits, known)}\n", ""
        ),
        f"{SEARCH}::test_a_thread_from_before_the_channel_was_converted_is_adopted",
    ),
    Rule(
        "A search hit counts only as a GET shows it",
        Mutation(
            "sessions/threads/search",
            "await gather_limited(MAX_HITS, [_read(context, thread.id) for thread in unknown])",
            "unknown",
        ),
        f"{SEARCH}::test_a_hit_is_believed_only_as_it_is_now",
    ),
    Rule(
        "A search that fails changes nothing",
        Mutation("sessions/threads/search", "return []\n    return [thread", "raise\n    return [thread"),
        f"{SEARCH}::test_a_search_that_fails_keeps_nobody_from_a_new_thread",
    ),
    # Half lists
    Rule(
        "A page that says that more follow, and not from where, is none",
        Mutation("discord/decode", "if found.has_more and not times:", "if False:"),
        "handler/discord/test_decode.py::test_half_a_page_of_archived_threads_is_an_outage",
    ),
    Rule(
        "A further page that is empty is read again",
        Mutation("sessions/threads/lists", "if resumed and not page.threads:", "if False:"),
        "scenarios/test_half_lists.py::test_a_second_page_that_is_empty_for_once_is_read_again",
    ),
    # Merging
    Rule(
        "A merged thread is pointed at the kept one only as it was read",
        Mutation(
            "store/pointers", "            *check_former_owner(self._table, pointer, session.pair, thread_id),\n", ""
        ),
        f"{MERGE}::test_a_pointer_is_merged_only_if_nothing_has_changed_since_it_was_read",
    ),
    Rule(
        "An archived thread is opened before it gets its link",
        Mutation("sessions/duplicates/merge", "    if thread.archived:\n        await", "    if False:\n        await"),
        f"{MERGE}::test_after_a_kill_at_any_call_a_repeat_goes_on_without_a_second_message",
    ),
    Rule(
        "A merged thread gets one link",
        Mutation(
            "sessions/duplicates/merge",
            "    message_id = await _find_link(context, thread, pointer)\n",
            "    message_id = None\n",
        ),
        f"{MERGE}::test_after_a_kill_at_any_call_a_repeat_goes_on_without_a_second_message",
    ),
    Rule(
        "A merged thread gets a name that is no session's",
        Mutation("sessions/duplicates/merge", 'name=name_merged(thread.name or "")', "name=thread.name"),
        f"{MERGE}::test_after_the_table_is_lost_the_kept_thread_is_found_again",
    ),
    Rule(
        "The namesake goes last",
        Mutation(
            "sessions/duplicates/merge",
            "session.session_key, thread.id)\n    return _Merge",
            'session.session_key, "0")\n    return _Merge',
        ),
        f"{MERGE}::test_the_thread_on_record_is_kept_and_each_other_one_links_it",
    ),
    Rule(
        "A renamed thread of another session is not merged",
        Mutation("sessions/duplicates/group", "(t in adoptable or", "(True or"),
        f"{MERGE}::test_the_renamed_thread_of_another_session_is_left_alone",
    ),
)
