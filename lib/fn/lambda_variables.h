/*
 * lambda_variables.h: what an environment of AWS Lambda is called, and the variables that tell a
 * runtime of it. Internal to lib/fn.
 *
 * The variables are those of "Defined runtime environment variables" in the AWS Lambda Developer
 * Guide that mean something here. What the user has set stands; only where the API listens is ours
 * to say.
 */
#ifndef FIT_FN_LAMBDA_VARIABLES_H
#define FIT_FN_LAMBDA_VARIABLES_H

#include "fn/kind.h"

struct lambda_names {
    char *name; /* of the function: its program, or the folder of one that is called "bootstrap" */
    char *root; /* the folder of the program, absolute */
    char *arn;
    char *region;
};

void lambda_names_init(struct lambda_names *names, const struct fn *fn);
void lambda_names_free(struct lambda_names *names);

/*
 * The variables that the process inherits, for a server at that port, in a stream of logs of that
 * number: NULL-terminated, each and the list for the caller to free (lambda_variables_free).
 */
char **lambda_variables(const struct lambda_names *names, const struct fn *fn, uint16_t port,
                        uint64_t stream);
void lambda_variables_free(char **list);

#endif
