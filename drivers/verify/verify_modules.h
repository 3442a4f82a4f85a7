/* The modules that the guest will load, in its order, against its kernel. Part of verify. */
#pragma once

#include "verify.h"

MUST_CHECK bool verify_modules(struct finding_list *findings, const struct verify_subject *subject,
			       struct err *err);
