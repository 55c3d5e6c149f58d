/* Finds the library when it runs, by its SONAME, and what it needs of it by name: what a plug-in or a language's
 * foreign interface does. Loads, uses and unloads it.
 *
 *     loads SPOOL */

#include <dlfcn.h>
#include <multispool.h>
#include <stdio.h>
#include <string.h>

/* ISO C knows no way from an object's address to a function; POSIX promises that they are the same. */
static int find(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);
    memcpy(function, &found, sizeof found);
    if (found == NULL)
        fprintf(stderr, "loads: %s\n", dlerror());
    return found != NULL;
}

int main(int argc, char **argv)
{
    static const char *const queues[] = {"in"};
    static const char data[] = "from outside";
    uint32_t (*version)(void);
    int32_t (*create)(const char *, const char *const *, size_t, const multispool_spool_options *, multispool_spool **,
                      multispool_error **);
    int32_t (*enqueue)(const multispool_spool *, const char *, const uint8_t *, size_t, const uint8_t *, size_t,
                       const multispool_enqueue_options *, multispool_entry **, multispool_error **);
    void (*free_spool)(multispool_spool *);
    multispool_spool *spool;

    if (argc != 2)
        return 2;
    void *library = dlopen("libmultispool.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "loads: %s\n", dlerror());
        return 1;
    }
    if (!find(library, "multispool_version", &version) || !find(library, "multispool_spool_create", &create) ||
        !find(library, "multispool_enqueue", &enqueue) || !find(library, "multispool_spool_free", &free_spool))
        return 1;
    /* As the wrappers do: another major version is refused, and before 1.0 another minor one. */
    if (version() >> 8 != MULTISPOOL_VERSION >> 8)
        return 3;
    if (create(argv[1], queues, 1, NULL, &spool, NULL) != MULTISPOOL_OK ||
        enqueue(spool, "in", NULL, 0, (const uint8_t *)data, strlen(data), NULL, NULL, NULL) != MULTISPOOL_OK)
        return 1;
    free_spool(spool);
    if (dlclose(library) != 0)
        return 1;
    puts(data);
    return 0;
}
