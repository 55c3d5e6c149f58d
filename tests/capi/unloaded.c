/* A library that was loaded, used and unloaded again leaves nothing behind that a fork or an exit could
 * stumble over. argv[1]: a directory to use; argv[2]: the shared library. */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* As POSIX wants it: a function is got through a pointer to an object. */
#define LOOK_UP(function, name)                                     \
    do {                                                            \
        *(void **)&(function) = dlsym(library, name);               \
        if ((function) == NULL) {                                   \
            fprintf(stderr, "no " name "\n");                       \
            return 1;                                               \
        }                                                           \
    } while (0)

int main(int argc, char **argv)
{
    static const char *const queues[] = {"in"};
    for (int round = 0; round < 3 && argc == 3; round++) {
        int32_t (*create)(const char *, const char *const *, size_t, const void *, void **, void **);
        int32_t (*enqueue)(const void *, const char *, const uint8_t *, size_t, const uint8_t *, size_t, const void *,
                           void **, void **);
        int32_t (*checkout)(const void *, const void *, void **, void **);
        void (*free_checkout)(void *), (*free_entry)(void *), (*free_spool)(void *);
        void *spool, *entry, *taken, *library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
        pid_t child;
        int status = -1;
        if (library == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
        LOOK_UP(create, "multispool_spool_create");
        LOOK_UP(enqueue, "multispool_enqueue");
        LOOK_UP(checkout, "multispool_entry_checkout");
        LOOK_UP(free_checkout, "multispool_checkout_free");
        LOOK_UP(free_entry, "multispool_entry_free");
        LOOK_UP(free_spool, "multispool_spool_free");
        if (create(argv[1], queues, 1, NULL, &spool, NULL) != 0 ||
            enqueue(spool, "in", NULL, 0, NULL, 0, NULL, &entry, NULL) != 0 ||
            checkout(entry, NULL, &taken, NULL) != 0) {
            fprintf(stderr, "a call failed\n");
            return 1;
        }
        free_checkout(taken);
        free_entry(entry);
        free_spool(spool);
        if (dlclose(library) != 0) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
        child = fork();
        if (child == 0)
            _exit(0);
        if (waitpid(child, &status, 0) != child || status != 0) {
            fprintf(stderr, "the child ended with %d\n", status);
            return 1;
        }
    }
    return argc == 3 ? 0 : 2;
}
