/* Steps about a whole spool. */

#include <string.h>

#include "agent.h"

/* Options as a step says; NULL, and answered, if they make no sense. */
static multispool_spool_options *options_of(const line *in)
{
    multispool_spool_options *options;
    multispool_error *error;
    const char *owners = line_text(in, "owners"), *mode = line_text(in, "mode");
    int32_t status = multispool_spool_options_new(&options, &error);

    if (status == MULTISPOOL_OK && line_has(in, "durability"))
        status = multispool_spool_options_set_durability(options, line_durability(in), &error);
    if (status == MULTISPOOL_OK && line_yes(in, "read_only"))
        status = multispool_spool_options_set_read_only(options, 1, &error);
    if (status == MULTISPOOL_OK && line_yes(in, "allow_world_writable"))
        status = multispool_spool_options_set_allow_world_writable(options, 1, &error);
    if (status == MULTISPOOL_OK && owners != NULL)
        status = multispool_spool_options_set_owners(
            options, strcmp(owners, "mixed") == 0 ? MULTISPOOL_OWNERS_MIXED : MULTISPOOL_OWNERS_LOCKING, &error);
    if (status == MULTISPOOL_OK && mode != NULL)
        status = multispool_spool_options_set_mode(
            options, strcmp(mode, "network") == 0 ? MULTISPOOL_MODE_NETWORK : MULTISPOOL_MODE_LOCAL, &error);
    if (status == MULTISPOOL_OK && line_has(in, "file_mode"))
        status = multispool_spool_options_set_file_mode(options, line_octal(in, "file_mode"), &error);
    if (status == MULTISPOOL_OK && line_has(in, "dir_mode"))
        status = multispool_spool_options_set_dir_mode(options, line_octal(in, "dir_mode"), &error);
    if (status == MULTISPOOL_OK && line_has(in, "max_concurrent"))
        status = multispool_spool_options_set_max_concurrent(
            options, (uint32_t)line_number(in, "max_concurrent", 0), &error);
    if (!answer(status, &error)) {
        multispool_spool_options_free(options);
        return NULL;
    }
    return options;
}

typedef int32_t opening(const char *dir, const char *const *queues, size_t queue_count,
                        const multispool_spool_options *options, multispool_spool **spool,
                        multispool_error **error);

static void open_by(const line *in, opening *function)
{
    multispool_spool *spool;
    multispool_error *error;
    size_t count;
    multispool_spool_options *options = options_of(in);

    if (options == NULL)
        return;
    const char *const *queues = line_all(in, "queue", &count);
    int32_t status = function(line_text(in, "dir"), queues, count, options, &spool, &error);
    multispool_spool_options_free(options);
    if (answer(status, &error))
        hand_keep(SPOOL, line_text(in, "as"), spool);
}

static void create(const line *in)
{
    open_by(in, multispool_spool_create);
}

static void load(const line *in)
{
    open_by(in, multispool_spool_load);
}

static void load_unsafe(const line *in)
{
    open_by(in, multispool_spool_load_unsafe);
}

static void discover(const line *in)
{
    multispool_names *queues;
    multispool_error *error;
    const char *name;

    if (!answer(multispool_discover(line_text(in, "dir"), &queues, &error), &error))
        return;
    int32_t status;
    while ((status = multispool_names_next(queues, &name, &error)) == MULTISPOOL_OK)
        answer_text("queue", name);
    if (status != MULTISPOOL_EMPTY)
        answer(status, &error);
    multispool_names_free(queues);
}

static void describe(const line *in)
{
    static const char *const durabilities[] = {"none", "original", "full"};
    const multispool_spool *spool = hand_get(in, SPOOL);

    answer(MULTISPOOL_OK, NULL);
    answer_text("dir", multispool_spool_dir(spool));
    for (size_t i = 0; i < multispool_spool_queue_count(spool); i++)
        answer_text("queue", multispool_spool_queue(spool, i));
    answer_text("durability", durabilities[multispool_spool_durability(spool)]);
    answer_text("read_only", multispool_spool_read_only(spool) ? "yes" : "no");
}

static void recover(const line *in)
{
    multispool_recover_options *options;
    multispool_entries *entries;
    multispool_entry *entry;
    multispool_error *error;
    int32_t status = multispool_recover_options_new(&options, &error);

    if (status == MULTISPOOL_OK && line_has(in, "min_age_ms"))
        status = multispool_recover_options_set_min_age_ms(options, line_number(in, "min_age_ms", 0), &error);
    if (status == MULTISPOOL_OK && line_has(in, "durability"))
        status = multispool_recover_options_set_durability(options, line_durability(in), &error);
    if (status != MULTISPOOL_OK) {
        answer(status, &error);
        multispool_recover_options_free(options);
        return;
    }
    answer(multispool_recover(hand_get(in, SPOOL), options, &entries, &error), &error);
    multispool_recover_options_free(options);
    if (entries == NULL)
        return;
    while ((status = multispool_entries_next(entries, &entry, &error)) == MULTISPOOL_OK) {
        answer_place("entry", "", multispool_entry_queue(entry), multispool_entry_name(entry));
        multispool_entry_free(entry);
    }
    if (status != MULTISPOOL_EMPTY)
        answer(status, &error);
    multispool_entries_free(entries);
}

static void add_steps(const multispool_steps *steps)
{
    static const char *const actions[] = {"?", "remove_temporary", "remove_data", "adopt", "remove_reservation"};

    for (size_t i = 0; i < multispool_steps_count(steps); i++)
        answer_place("step", actions[multispool_steps_action(steps, i)],
                     multispool_steps_dir_name_on_disk(steps, i), multispool_steps_filename(steps, i));
}

static void plan(const line *in)
{
    multispool_repair_options *options;
    multispool_plan *plan = NULL;
    multispool_error *error;
    int32_t status = multispool_repair_options_new(&options, &error);

    if (status == MULTISPOOL_OK && line_has(in, "min_age_ms"))
        status = multispool_repair_options_set_min_age_ms(options, line_number(in, "min_age_ms", 0), &error);
    if (status == MULTISPOOL_OK && line_has(in, "to"))
        status = multispool_repair_options_set_to(options, line_text(in, "to"), &error);
    if (status == MULTISPOOL_OK)
        status = multispool_spool_repair_plan(hand_get(in, SPOOL), options, &plan, &error);
    multispool_repair_options_free(options);
    if (answer(status, &error)) {
        add_steps(multispool_plan_steps(plan));
        hand_keep(PLAN, line_text(in, "as"), plan);
    }
}

static void apply(const line *in)
{
    multispool_repaired *repaired;
    multispool_error *error;

    answer(multispool_plan_apply(hand_get(in, PLAN), &repaired, &error), &error);
    add_steps(multispool_repaired_steps(repaired));
    multispool_repaired_free(repaired);
}

static void stats(const line *in)
{
    multispool_stats_options *options;
    multispool_stats *stats = NULL;
    multispool_error *error;
    int32_t status = multispool_stats_options_new(&options, &error);

    if (status == MULTISPOOL_OK)
        status = multispool_stats_options_set_bytes(options, line_yes(in, "bytes"), &error);
    if (status == MULTISPOOL_OK)
        status = multispool_spool_stats(hand_get(in, SPOOL), options, &stats, &error);
    multispool_stats_options_free(options);
    if (!answer(status, &error))
        return;
    for (size_t i = 0; i < multispool_stats_queue_count(stats); i++) {
        if (strcmp(multispool_stats_queue(stats, i), line_text(in, "queue")) != 0)
            continue;
        answer_number("entries", (int64_t)multispool_stats_entries(stats, i));
        answer_number("alive", (int64_t)multispool_stats_checked_out_alive(stats, i));
        answer_number("dead", (int64_t)multispool_stats_checked_out_dead(stats, i));
        answer_text("oldest", multispool_stats_oldest_age_ms(stats, i) >= 0 ? "yes" : "no");
        if (multispool_stats_metadata_bytes(stats, i) >= 0) {
            answer_number("metadata_bytes", multispool_stats_metadata_bytes(stats, i));
            answer_number("data_bytes", multispool_stats_data_bytes(stats, i));
        }
    }
    multispool_stats_free(stats);
}

const step spool_steps[] = {{"create", create},     {"load", load},       {"load_unsafe", load_unsafe},
                            {"discover", discover}, {"describe", describe}, {"recover", recover},
                            {"plan", plan},         {"apply", apply},     {"stats", stats},
                            {NULL, NULL}};
