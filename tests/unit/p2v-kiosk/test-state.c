/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/state.h"

static void
tell (P2vKioskState *state, P2vUpdateKind kind, const char *text)
{
  P2vUpdate update = { .kind = kind, .text = text, .time_left = -1 };
  p2v_kiosk_state_update (state, &update);
}

static void
tell_event (P2vKioskState *state, const char *kind, const char *stage, gint64 percent)
{
  P2vEvent event = { 1500, (char *)kind, (char *)stage, NULL, percent };
  P2vUpdate update = { .kind = P2V_UPDATE_EVENT, .event = &event };
  p2v_kiosk_state_update (state, &update);
}

static void
tell_progress (P2vKioskState *state, gint64 done)
{
  P2vDiskProgress disk = { .name = "sda", .size = 1000, .done = done };
  P2vUpdate update = { .kind = P2V_UPDATE_PROGRESS, .disks = &disk, .n_disks = 1, .rate = 5 };
  p2v_kiosk_state_update (state, &update);
}

static P2vKioskState *
new_sending (void)
{
  P2vKioskState *state = p2v_kiosk_state_new ("Connecting to kvm1");
  tell (state, P2V_UPDATE_CREATED, "job1");
  g_assert_cmpstr (state->activity, ==, "Opening the disks");
  /* A job that is gone on with has no event that the stage has begun. */
  tell_progress (state, 10);
  g_assert_cmpstr (state->activity, ==, "Sending the disks");
  return state;
}

static void
test_a_lost_connection_pauses_what_is_done (void)
{
  g_autoptr (P2vKioskState) state = new_sending ();
  tell (state, P2V_UPDATE_LOST, "lost (attempt 1)");
  g_assert_cmpstr (state->pause, ==, "Reconnecting to the server");
  g_assert_cmpstr (state->pause_why, ==, "lost (attempt 1)");
  tell (state, P2V_UPDATE_LOST, "lost (attempt 2)");
  g_assert_cmpstr (state->pause_why, ==, "lost (attempt 2)");
  tell_progress (state, 10);
  g_assert_nonnull (state->pause);
  tell (state, P2V_UPDATE_RESTORED, "back");
  g_assert_null (state->pause);
  g_assert_null (state->pause_why);
  g_assert_cmpstr (state->activity, ==, "Sending the disks");
}

static void
test_after_the_landing_the_stage_is_kept (void)
{
  g_autoptr (P2vKioskState) state = new_sending ();
  tell (state, P2V_UPDATE_LANDED, NULL);
  g_assert_cmpstr (state->activity, ==, "Waiting for the server");
  tell_event (state, "started", P2V_STAGE_CONVERT, 0);
  tell_event (state, "progress", P2V_STAGE_CONVERT, 40);
  tell (state, P2V_UPDATE_LOST, "lost");
  tell (state, P2V_UPDATE_RESTORED, "back");
  g_assert_cmpstr (state->activity, ==, "Converting on the server");
  g_assert_cmpint (state->percent, ==, 40);
}

static void
test_a_full_server_pauses (void)
{
  g_autoptr (P2vKioskState) state = new_sending ();
  tell (state, P2V_UPDATE_PAUSED, "the transfer waits");
  g_assert_cmpstr (state->pause, ==, "Waiting for space on the server");
  tell (state, P2V_UPDATE_RESTORED, "There is space");
  g_assert_null (state->pause);
  tell (state, P2V_UPDATE_PAUSED, "the transfer waits");
  tell (state, P2V_UPDATE_LANDED, NULL);
  g_assert_null (state->pause);
}

static void
test_a_machine_that_is_to_stay_is_told_so (void)
{
  g_autoptr (P2vKioskState) state = new_sending ();
  tell (state, P2V_UPDATE_LANDED, "Keep it on.");
  g_assert_cmpstr (state->stay, ==, "Keep it on.");
  tell (state, P2V_UPDATE_LANDED, NULL);
  g_assert_null (state->stay);
}

/* Verification has found something damaged: the machine is needed again. */
static void
test_the_server_may_ask_again (void)
{
  g_autoptr (P2vKioskState) state = new_sending ();
  tell (state, P2V_UPDATE_LANDED, NULL);
  g_assert_true (state->landed);
  tell_event (state, "started", P2V_STAGE_VERIFY, 0);
  tell_progress (state, 900);
  g_assert_false (state->landed);
  g_assert_cmpstr (state->activity, ==, "Sending the disks");
  tell (state, P2V_UPDATE_LANDED, NULL);
  g_assert_true (state->landed);
}

static void
test_the_question (void)
{
  g_autoptr (P2vKioskState) state = p2v_kiosk_state_new ("Connecting to kvm1");
  P2vUnfinished unfinished = { (char *)"job1", 0, 1, 2 };
  p2v_kiosk_state_ask (state, p2v_unfinished_copy (&unfinished));
  g_assert_cmpstr (state->activity, ==, "Waiting for your answer");
  g_assert_cmpstr (state->unfinished->job, ==, "job1");
  p2v_kiosk_state_ask (state, NULL);
  g_assert_null (state->unfinished);
  g_assert_cmpstr (state->activity, ==, "Waiting for the server");
  tell (state, P2V_UPDATE_CREATED, "job1");
  /* Said twice: by who has answered, and by who has asked. */
  p2v_kiosk_state_ask (state, NULL);
  g_assert_cmpstr (state->activity, ==, "Opening the disks");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kiosk/state/a-lost-connection-pauses-what-is-done",
                   test_a_lost_connection_pauses_what_is_done);
  g_test_add_func ("/kiosk/state/after-the-landing-the-stage-is-kept",
                   test_after_the_landing_the_stage_is_kept);
  g_test_add_func ("/kiosk/state/a-machine-that-is-to-stay-is-told-so",
                   test_a_machine_that_is_to_stay_is_told_so);
  g_test_add_func ("/kiosk/state/a-full-server-pauses", test_a_full_server_pauses);
  g_test_add_func ("/kiosk/state/the-server-may-ask-again", test_the_server_may_ask_again);
  g_test_add_func ("/kiosk/state/the-question", test_the_question);
  return g_test_run ();
}
