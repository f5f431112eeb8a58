#pragma once
#include <sys/time.h>
#include <amqp.h>
