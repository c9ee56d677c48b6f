/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/compression-level.h"

/* The link is what holds us up when we wait for it this part of the time: a level more takes a
 * third more time or so, and that much must be idle. */
#define LINK_BOUND 0.30

/* The processor is, when we hardly wait for anything. */
#define NEVER_BLOCKED 0.05
#define NEVER_STARVED 0.10

/* What is left of data that does not compress, and how much of it goes by before the next try: so
 * many times what was tried, for on a slow link there is time to look often. */
#define INCOMPRESSIBLE 0.97
#define INCOMPRESSIBLE_TIMES 2
#define INCOMPRESSIBLE_BYTES_MAX (32 * 1024 * 1024)

/* Going without compression must be this much faster, or it is not worth the link's bytes. */
#define WORTHWHILE 1.25

/* How many samples in a row the processor must be the limit before that is tried. */
#define BUSY_SAMPLES 8

/* How many samples that is judged by: others want the processor too, now more, now less. */
#define TRIAL_SAMPLES 3

/* Samples for which a failed trial is not repeated, twice as many after each further one; and after
 * which compression is tried again: the data has become another, or the machine busier. */
#define FIRST_HOLD 16
#define LONGEST_HOLD 1024
#define UNCOMPRESSED_HOLD 64

void
p2v_compression_level_init (P2vCompressionLevel *self)
{
  *self = (P2vCompressionLevel){
    .level = P2V_COMPRESSION_LEVEL_START,
    .next_hold = FIRST_HOLD,
  };
}

static void
pass_uncompressed (P2vCompressionLevel *self, const P2vLaneSample *sample)
{
  self->resume = self->level;
  self->level = 0;
  self->incompressible = MIN (sample->in * INCOMPRESSIBLE_TIMES, INCOMPRESSIBLE_BYTES_MAX);
}

static void
begin_trial (P2vCompressionLevel *self, double goodput)
{
  self->goodput = goodput;
  self->trial = TRIAL_SAMPLES;
  self->trial_seconds = 0;
  self->trial_blocked = 0;
  self->trial_bytes = 0;
  self->level = 0;
}

/* Without compression: is it really faster, and the link still not full? A lane that sends more may
 * only take from the others what they need. A link that is full at once needs no further sample. */
static void
go_on_with_trial (P2vCompressionLevel *self, const P2vLaneSample *sample)
{
  self->trial_seconds += sample->seconds;
  self->trial_blocked += sample->blocked;
  self->trial_bytes += sample->in;
  if (--self->trial > 0 && sample->blocked < LINK_BOUND * sample->seconds)
    return;
  self->trial = 0;
  if ((double)self->trial_bytes / self->trial_seconds >= self->goodput * WORTHWHILE
      && self->trial_blocked < NEVER_BLOCKED * self->trial_seconds)
    {
      self->next_hold = FIRST_HOLD;
      self->hold = UNCOMPRESSED_HOLD;
      return;
    }
  self->level = 1;
  self->hold = self->next_hold;
  self->next_hold = MIN (self->next_hold * 2, LONGEST_HOLD);
}

int
p2v_compression_level_next (P2vCompressionLevel *self, const P2vLaneSample *sample)
{
  gboolean link_bound = sample->blocked >= LINK_BOUND * sample->seconds;
  gboolean cpu_bound = sample->blocked < NEVER_BLOCKED * sample->seconds
                       && sample->starved < NEVER_STARVED * sample->seconds;
  self->hold = MAX (self->hold - 1, 0);
  self->busy = cpu_bound ? self->busy + 1 : 0;
  if (self->incompressible > 0)
    {
      self->incompressible -= sample->in;
      if (self->incompressible <= 0)
        self->level = self->resume;
    }
  else if (self->level > 0 && (double)sample->out >= INCOMPRESSIBLE * (double)sample->in)
    pass_uncompressed (self, sample);
  else if (self->trial > 0)
    go_on_with_trial (self, sample);
  else if (link_bound || (self->level == 0 && self->hold == 0))
    self->level = MIN (self->level + 1, P2V_COMPRESSION_LEVEL_TOP);
  else if (cpu_bound && self->level > 1)
    self->level--;
  else if (self->busy >= BUSY_SAMPLES && self->level == 1 && self->hold == 0)
    begin_trial (self, (double)sample->in / sample->seconds);
  return self->level;
}
