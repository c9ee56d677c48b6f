/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/buffer-pool.h"

#include "common/manifest.h"

#define SOON (50 * 1000)

/* Takes as many as there are at the moment. */
static guint
take_all (P2vBufferShare *share, GPtrArray *taken)
{
  guint count = 0;
  guint8 *buffer;
  while ((buffer = p2v_buffer_share_take (share, 0)) != NULL)
    {
      g_assert_cmpuint ((gsize)buffer % 4096, ==, 0);
      buffer[0] = buffer[P2V_CHUNK_SIZE - 1] = 1;
      g_ptr_array_add (taken, buffer);
      count++;
    }
  return count;
}

static void
give_all (P2vBufferShare *share, GPtrArray *taken)
{
  for (guint i = 0; i < taken->len; i++)
    p2v_buffer_share_give (share, taken->pdata[i]);
  g_ptr_array_set_size (taken, 0);
}

static void
test_one_user_gets_all_and_no_more (void)
{
  P2vBufferShare share;
  g_autoptr (P2vBufferPool) pool = p2v_buffer_pool_new (16 * P2V_CHUNK_SIZE + 1);
  g_autoptr (GPtrArray) taken = g_ptr_array_new ();
  p2v_buffer_share_join (&share, pool);
  g_assert_cmpuint (take_all (&share, taken), ==, 16);
  p2v_buffer_share_give (&share, g_ptr_array_steal_index (taken, 0));
  g_assert_cmpuint (take_all (&share, taken), ==, 1);
  give_all (&share, taken);
  p2v_buffer_share_leave (&share);
}

/* Who came first had everything; what he gives back goes to the others until all have the same. */
static void
test_users_share_evenly (void)
{
  P2vBufferShare first, second;
  g_autoptr (P2vBufferPool) pool = p2v_buffer_pool_new (16 * P2V_CHUNK_SIZE);
  g_autoptr (GPtrArray) of_first = g_ptr_array_new ();
  g_autoptr (GPtrArray) of_second = g_ptr_array_new ();
  p2v_buffer_share_join (&first, pool);
  g_assert_cmpuint (take_all (&first, of_first), ==, 16);
  p2v_buffer_share_join (&second, pool);
  /* Nobody starves, whatever the others hold. */
  g_assert_cmpuint (take_all (&second, of_second), ==, P2V_BUFFER_SHARE_MIN);
  for (int i = 0; i < 12; i++)
    p2v_buffer_share_give (&first, g_ptr_array_steal_index (of_first, 0));
  g_assert_cmpuint (take_all (&second, of_second), ==, 8 - P2V_BUFFER_SHARE_MIN);
  g_assert_cmpuint (take_all (&first, of_first), ==, 4);
  give_all (&second, of_second);
  p2v_buffer_share_leave (&second);
  g_assert_cmpuint (take_all (&first, of_first), ==, 8);
  give_all (&first, of_first);
  p2v_buffer_share_leave (&first);
}

/* All at once, as all disks of a machine are read at once. */
static guint
take_for_many (P2vBufferPool *pool, guint users)
{
  g_autofree P2vBufferShare *shares = g_new0 (P2vBufferShare, users);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify)g_ptr_array_unref);
  guint total = 0;
  for (guint i = 0; i < users; i++)
    p2v_buffer_share_join (&shares[i], pool);
  for (guint i = 0; i < users; i++)
    {
      GPtrArray *taken = g_ptr_array_new ();
      g_ptr_array_add (all, taken);
      guint count = take_all (&shares[i], taken);
      g_assert_cmpuint (count, >=, 1);
      total += count;
    }
  for (guint i = 0; i < users; i++)
    {
      give_all (&shares[i], all->pdata[i]);
      p2v_buffer_share_leave (&shares[i]);
    }
  return total;
}

static void
test_many_users_of_little_memory_all_get_some (void)
{
  g_autoptr (P2vBufferPool) pool = p2v_buffer_pool_new (P2V_CHUNK_SIZE / 2);
  g_assert_cmpuint (take_for_many (pool, 16), ==, 16);
}

/* 30 disks, and a machine of 1 GB with 8. */
static void
test_many_users_take_no_more_than_there_is (void)
{
  g_autoptr (P2vBufferPool) large = p2v_buffer_pool_new (P2V_BUFFER_POOL_MAX);
  g_autoptr (P2vBufferPool) small = p2v_buffer_pool_new (60 * 1024 * 1024);
  g_assert_cmpuint (take_for_many (large, 30), <=, P2V_BUFFER_POOL_MAX / P2V_CHUNK_SIZE);
  g_assert_cmpuint (take_for_many (small, 8), <=, 15);
}

/* One had everything when the others came: twice the budget is the most that there ever is. */
static void
test_who_joins_late_waits_for_most (void)
{
  P2vBufferShare first;
  g_autoptr (P2vBufferPool) pool = p2v_buffer_pool_new (16 * P2V_CHUNK_SIZE);
  g_autoptr (GPtrArray) of_first = g_ptr_array_new ();
  p2v_buffer_share_join (&first, pool);
  g_assert_cmpuint (take_all (&first, of_first), ==, 16);
  g_assert_cmpuint (take_for_many (pool, 15), <=, 16);
  give_all (&first, of_first);
  p2v_buffer_share_leave (&first);
}

static gpointer
give_later (gpointer data)
{
  P2vBufferShare *share = ((gpointer *)data)[0];
  g_usleep (SOON);
  p2v_buffer_share_give (share, ((gpointer *)data)[1]);
  return NULL;
}

static void
test_who_waits_gets_what_comes_back (void)
{
  P2vBufferShare share;
  g_autoptr (P2vBufferPool) pool = p2v_buffer_pool_new (P2V_BUFFER_SHARE_MIN * P2V_CHUNK_SIZE);
  g_autoptr (GPtrArray) taken = g_ptr_array_new ();
  p2v_buffer_share_join (&share, pool);
  take_all (&share, taken);
  g_assert_null (p2v_buffer_share_take (&share, SOON));
  gpointer data[] = { &share, g_ptr_array_steal_index (taken, 0) };
  GThread *thread = g_thread_new ("giver", give_later, data);
  guint8 *buffer = p2v_buffer_share_take (&share, 10 * G_USEC_PER_SEC);
  g_assert_nonnull (buffer);
  g_thread_join (thread);
  g_ptr_array_add (taken, buffer);
  give_all (&share, taken);
  p2v_buffer_share_leave (&share);
}

static void
test_the_budget_is_bounded (void)
{
  gsize budget = p2v_buffer_pool_budget ();
  g_assert_cmpuint (budget, >, 0);
  g_assert_cmpuint (budget, <=, P2V_BUFFER_POOL_MAX);
}

static void
test_little_memory_gives_a_small_budget (void)
{
  const guint64 mib = 1024 * 1024;
  g_assert_cmpuint (P2V_BUFFER_POOL_MAX, <=, 256 * mib);
  g_assert_cmpuint (p2v_buffer_pool_budget_for (64 * 1024 * mib), ==, P2V_BUFFER_POOL_MAX);
  g_assert_cmpuint (p2v_buffer_pool_budget_for (G_MAXUINT64), ==, P2V_BUFFER_POOL_MAX);
  g_assert_cmpuint (p2v_buffer_pool_budget_for (0), ==, P2V_BUFFER_POOL_MAX);
  /* A machine of 1 GB, on which the live system leaves a good half. */
  g_assert_cmpuint (p2v_buffer_pool_budget_for (600 * mib), ==, 75 * mib);
  g_assert_cmpuint (p2v_buffer_pool_budget_for (80 * mib), ==, 10 * mib);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/buffer-pool/one-user-gets-all-and-no-more",
                   test_one_user_gets_all_and_no_more);
  g_test_add_func ("/buffer-pool/users-share-evenly", test_users_share_evenly);
  g_test_add_func ("/buffer-pool/many-users-of-little-memory",
                   test_many_users_of_little_memory_all_get_some);
  g_test_add_func ("/buffer-pool/many-users-take-no-more-than-there-is",
                   test_many_users_take_no_more_than_there_is);
  g_test_add_func ("/buffer-pool/who-joins-late-waits-for-most",
                   test_who_joins_late_waits_for_most);
  g_test_add_func ("/buffer-pool/who-waits-gets-what-comes-back",
                   test_who_waits_gets_what_comes_back);
  g_test_add_func ("/buffer-pool/the-budget-is-bounded", test_the_budget_is_bounded);
  g_test_add_func ("/buffer-pool/little-memory-gives-a-small-budget",
                   test_little_memory_gives_a_small_budget);
  return g_test_run ();
}
