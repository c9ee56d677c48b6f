#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The real virt-v2v, in the middle of its work: cancelling ends it and its appliance.

load ../lib/common
load ../lib/session
load ../lib/conversion

setup_file () { server_start --no-libvirt; }
teardown_file () { server_stop; }

appliance_runs () { server_root pgrep -f 'qemu-system.*guestfs' >/dev/null; }

@test "cancel ends virt-v2v with its appliance in seconds, and leaves no file of theirs" {
  job_land v2v1
  wait_until 120 appliance_runs
  assert_equal "$(state_of "$JOB")" converting
  local started=$EPOCHSECONDS
  run p2v_server cancel "$JOB"
  assert_status 0
  ((EPOCHSECONDS - started < 15)) || assert_fail "it took $((EPOCHSECONDS - started)) seconds"
  assert_equal "$(state_of "$JOB")" cancelled
  assert_freed "$JOB"
  assert_equal "$(server_root pgrep -fa 'qemu-system|virt-v2v|nbdkit|supermin' || true)" ""
  session_end
  # libguestfs keeps its appliance in a directory of that name, for the next one.
  assert_equal "$(server_root find /tmp /var/tmp -maxdepth 1 -user "$SERVER_UID" ! -name '.guestfs-*' \
    ! -path "$SERVER_DIR")" ""
}
