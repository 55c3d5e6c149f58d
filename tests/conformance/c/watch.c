/* Steps about what is wrong with a spool. */

#include <stdio.h>
#include <string.h>

#include "agent.h"

/* Limits as a step says; NULL, and answered, if they make no sense. */
static multispool_limits *limits_of(const line *in)
{
    multispool_limits *limits;
    multispool_error *error;
    int32_t status = multispool_limits_new(&limits, &error);

    if (status == MULTISPOOL_OK && line_has(in, "max_checked_out_age_ms"))
        status = multispool_limits_set_max_checked_out_age_ms(
            limits, line_number(in, "max_checked_out_age_ms", 0), &error);
    if (status == MULTISPOOL_OK && line_has(in, "max_tmp_file_age_ms"))
        status =
            multispool_limits_set_max_tmp_file_age_ms(limits, line_number(in, "max_tmp_file_age_ms", 0), &error);
    if (status == MULTISPOOL_OK && line_has(in, "max_reservation_age_ms"))
        status = multispool_limits_set_max_reservation_age_ms(
            limits, line_number(in, "max_reservation_age_ms", 0), &error);
    if (status == MULTISPOOL_OK && line_has(in, "max_queue_age_ms"))
        status = multispool_limits_set_max_queue_age_ms(limits, line_text(in, "max_queue"),
                                                        line_number(in, "max_queue_age_ms", 0), &error);
    if (status == MULTISPOOL_OK && line_has(in, "min_free_bytes"))
        status =
            multispool_limits_set_min_free_bytes(limits, (uint64_t)line_number(in, "min_free_bytes", 0), &error);
    if (status == MULTISPOOL_OK && line_has(in, "min_free_inodes"))
        status =
            multispool_limits_set_min_free_inodes(limits, (uint64_t)line_number(in, "min_free_inodes", 0), &error);
    if (!answer(status, &error)) {
        multispool_limits_free(limits);
        return NULL;
    }
    return limits;
}

static const char *const kinds[] = {"?",         "too_old", "orphaned",  "duplicated",      "dead_owner",        "data_missing",
                                    "damaged", "half_made", "impossible_name", "directory_missing", "low_space"};
static const char *const severities[] = {"?", "garbage", "stuck", "damage"};
static const char *const mends[] = {"?", "repair", "recover", "workers", "inspect", "make_room"};

static void add_problem(const multispool_problems *problems, size_t at)
{
    int32_t kind = multispool_problems_kind(problems, at);
    char told[4096];
    int len = snprintf(told, sizeof told, "%s %s %s", kinds[kind],
                       severities[multispool_problems_severity(problems, at)],
                       mends[multispool_problems_mend(problems, at)]);

    for (size_t dir = 0; dir < multispool_problems_dir_count(problems, at); dir++) {
        const char *place = multispool_problems_dir_name_on_disk(problems, at, dir);
        size_t left = sizeof told - (size_t)len;
        if (kind == MULTISPOOL_PROBLEM_DIRECTORY_MISSING)
            len += snprintf(told + len, left, " %s", place);
        else
            len += snprintf(told + len, left, " %s/%s", place, multispool_problems_filename(problems, at));
        if ((size_t)len >= sizeof told)
            mistake("a problem too long for this program");
    }
    answer_text("problem", told);
}

static void add_problems(int32_t status, multispool_problems *problems, multispool_error *error)
{
    if (answer(status, &error))
        for (size_t i = 0; i < multispool_problems_count(problems); i++)
            add_problem(problems, i);
    multispool_problems_free(problems);
}

static void problems_step(const line *in)
{
    multispool_problems *problems;
    multispool_error *error;
    multispool_limits *limits = limits_of(in);

    if (limits == NULL)
        return;
    int32_t status = multispool_spool_problems(hand_get(in, SPOOL), limits, &problems, &error);
    multispool_limits_free(limits);
    add_problems(status, problems, error);
}

static void monitor_step(const line *in)
{
    multispool_monitor *monitor;
    multispool_error *error;
    multispool_limits *limits = limits_of(in);

    if (limits == NULL)
        return;
    int32_t status = multispool_monitor_create(line_text(in, "dir"), limits, &monitor, &error);
    multispool_limits_free(limits);
    if (answer(status, &error))
        hand_keep(MONITOR, line_text(in, "as"), monitor);
}

static void run_once(const line *in)
{
    multispool_problems *problems;
    multispool_error *error;
    int32_t status = multispool_monitor_run_once(hand_get(in, MONITOR), &problems, &error);

    add_problems(status, problems, error);
}

static void daemon_step(const line *in)
{
    multispool_daemon_options *options;
    multispool_daemon *daemon = NULL;
    multispool_error *error;
    int32_t status = multispool_daemon_options_new(&options, &error);

    if (status == MULTISPOOL_OK && line_has(in, "check_every_ms"))
        status = multispool_daemon_options_set_check_every_ms(options, line_number(in, "check_every_ms", 0), &error);
    if (status == MULTISPOOL_OK && line_has(in, "alert_after_cycles"))
        status = multispool_daemon_options_set_alert_after_cycles(
            options, (uint64_t)line_number(in, "alert_after_cycles", 0), &error);
    if (status == MULTISPOOL_OK)
        status = multispool_daemon_start(hand_get(in, MONITOR), options, &daemon, &error);
    multispool_daemon_options_free(options);
    if (answer(status, &error))
        hand_keep(DAEMON, line_text(in, "as"), daemon);
}

static void next(const line *in)
{
    multispool_event *event;
    multispool_error *error;
    int32_t status = multispool_daemon_next(hand_get(in, DAEMON), hand_get_any(in, STOP),
                                            line_number(in, "timeout_ms", -1), &event, &error);

    if (answer(status, &error)) {
        answer_text("event", multispool_event_kind(event) == MULTISPOOL_EVENT_START ? "start" : "end");
        add_problem(multispool_event_problem(event), 0);
        multispool_event_free(event);
    }
}

/* Answers with JSON, and frees it. */
static void add_json(int32_t status, multispool_buffer *json, multispool_error *error)
{
    size_t len;

    if (!answer(status, &error))
        return;
    const uint8_t *text = multispool_buffer_data(json, &len);
    answer_add("json", text, len);
    multispool_buffer_free(json);
}

/* Answers with limits as JSON, and frees them. */
static void add_limits(multispool_limits *limits)
{
    multispool_buffer *json;
    multispool_error *error;
    int32_t status = multispool_limits_to_json(limits, &json, &error);

    multispool_limits_free(limits);
    add_json(status, json, error);
}

static void limits_json(const line *in)
{
    multispool_limits *limits = limits_of(in);
    if (limits != NULL)
        add_limits(limits);
}

static void limits_from_json(const line *in)
{
    multispool_limits *limits;
    multispool_error *error;

    if (answer(multispool_limits_from_json(line_text(in, "json"), &limits, &error), &error))
        add_limits(limits);
}

static void spec_from_json(const line *in)
{
    multispool_buffer *dir, *json;
    multispool_limits *limits;
    multispool_error *error;

    if (!answer(multispool_monitor_spec_from_json(line_text(in, "json"), &dir, &limits, &error), &error))
        return;
    const char *path = (const char *)multispool_buffer_data(dir, NULL);
    int32_t status = multispool_monitor_spec_to_json(path, limits, &json, &error);
    multispool_buffer_free(dir);
    multispool_limits_free(limits);
    add_json(status, json, error);
}

static void daemon_json(const line *in)
{
    multispool_daemon_options *options;
    multispool_buffer *json;
    multispool_error *error;

    if (!answer(multispool_daemon_options_from_json(line_text(in, "json"), &options, &error), &error))
        return;
    int32_t status = multispool_daemon_options_to_json(options, &json, &error);
    multispool_daemon_options_free(options);
    add_json(status, json, error);
}

const step watch_steps[] = {{"problems", problems_step},
                            {"monitor", monitor_step},
                            {"run_once", run_once},
                            {"daemon", daemon_step},
                            {"next", next},
                            {"limits_json", limits_json},
                            {"limits_from_json", limits_from_json},
                            {"spec_from_json", spec_from_json},
                            {"daemon_json", daemon_json},
                            {NULL, NULL}};
