/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted printing into a buffer: one pass over the format, one struct for
 * the conversion at hand, one for what has been written.
 *
 * Not modelled: floating point, %n, wide characters, positional arguments.
 * An unknown conversion is printed as it stands, so that a mistake shows.
 *
 * Reference: ISO C11, "The fprintf function".
 */
#include "lib/printf.h"

#include "include/compiler.h"

/* Counts everything, stores what fits. */
struct output {
	char *to;
	size_t size;
	size_t length;
};

enum length { LENGTH_INT, LENGTH_CHAR, LENGTH_SHORT, LENGTH_LONG };

#define FLAG_LEFT  BIT(0)
#define FLAG_ZERO  BIT(1)
#define FLAG_PLUS  BIT(2)
#define FLAG_SPACE BIT(3)
#define FLAG_ALT   BIT(4)
#define FLAG_UPPER BIT(5)

struct conversion {
	unsigned flags;
	unsigned width;
	int precision; /* -1: not given */
	enum length length;
};

/* Octal needs the most digits. */
#define DIGITS_MAX 22

/* A width or precision beyond this is cut to it: no int overflow. */
#define FIELD_MAX 65535

static void output_char(struct output *out, char c)
{
	if (out->length + 1 < out->size)
		out->to[out->length] = c;
	out->length++;
}

static void output_repeat(struct output *out, char c, unsigned count)
{
	while (count--)
		output_char(out, c);
}

static void output_text(struct output *out, const char *text, size_t n)
{
	while (n--)
		output_char(out, *text++);
}

static void print_text(struct output *out, const struct conversion *conv,
		       const char *text, size_t n)
{
	unsigned pad = conv->width > n ? conv->width - (unsigned)n : 0;

	if (!(conv->flags & FLAG_LEFT))
		output_repeat(out, ' ', pad);
	output_text(out, text, n);
	if (conv->flags & FLAG_LEFT)
		output_repeat(out, ' ', pad);
}

static void print_string(struct output *out, const struct conversion *conv,
			 const char *text)
{
	size_t n = 0;

	if (!text)
		text = "(null)";
	/* With a precision the string need not be terminated. */
	while ((conv->precision < 0 || n < (size_t)conv->precision) && text[n])
		n++;
	print_text(out, conv, text, n);
}

/* The digits of value, most significant first; none for 0. */
static unsigned digits_of(char *digits, uint64_t value, unsigned base,
			  bool is_upper)
{
	const char *set = is_upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char reversed[DIGITS_MAX];
	unsigned n = 0;

	for (; value; value /= base)
		reversed[n++] = set[value % base];
	for (unsigned i = 0; i < n; i++)
		digits[i] = reversed[n - 1 - i];
	return n;
}

/* prefix: a sign, or "0x"; comes before the zeroes. */
static void print_number(struct output *out, const struct conversion *conv,
			 uint64_t value, unsigned base, const char *prefix)
{
	char digits[DIGITS_MAX];
	unsigned n = digits_of(digits, value, base, conv->flags & FLAG_UPPER);
	unsigned wanted = conv->precision < 0 ? 1 : (unsigned)conv->precision;
	unsigned zeroes = wanted > n ? wanted - n : 0;
	unsigned prefix_length = 0;
	unsigned total;

	while (prefix[prefix_length])
		prefix_length++;
	if (base == 8 && (conv->flags & FLAG_ALT) && !zeroes)
		zeroes = 1;
	total = prefix_length + zeroes + n;
	if (conv->width > total && (conv->flags & FLAG_ZERO) &&
	    !(conv->flags & FLAG_LEFT) && conv->precision < 0) {
		zeroes += conv->width - total;
		total = conv->width;
	}
	if (conv->width > total && !(conv->flags & FLAG_LEFT))
		output_repeat(out, ' ', conv->width - total);
	output_text(out, prefix, prefix_length);
	output_repeat(out, '0', zeroes);
	output_text(out, digits, n);
	if (conv->width > total && (conv->flags & FLAG_LEFT))
		output_repeat(out, ' ', conv->width - total);
}

static void print_signed(struct output *out, const struct conversion *conv,
			 int64_t value)
{
	const char *prefix = "";

	if (value < 0)
		prefix = "-";
	else if (conv->flags & FLAG_PLUS)
		prefix = "+";
	else if (conv->flags & FLAG_SPACE)
		prefix = " ";
	print_number(out, conv, value < 0 ? -(uint64_t)value : (uint64_t)value,
		     10, prefix);
}

static void print_hex(struct output *out, const struct conversion *conv,
		      uint64_t value)
{
	const char *prefix = "";

	if ((conv->flags & FLAG_ALT) && value)
		prefix = conv->flags & FLAG_UPPER ? "0X" : "0x";
	print_number(out, conv, value, 16, prefix);
}

static const char *parse_flags(struct conversion *conv, const char *format)
{
	for (;; format++) {
		switch (*format) {
		case '-':
			conv->flags |= FLAG_LEFT;
			break;
		case '0':
			conv->flags |= FLAG_ZERO;
			break;
		case '+':
			conv->flags |= FLAG_PLUS;
			break;
		case ' ':
			conv->flags |= FLAG_SPACE;
			break;
		case '#':
			conv->flags |= FLAG_ALT;
			break;
		default:
			return format;
		}
	}
}

static const char *parse_decimal(const char *format, unsigned *value)
{
	*value = 0;
	for (; *format >= '0' && *format <= '9'; format++)
		*value = MIN(*value * 10 + (unsigned)(*format - '0'),
			     (unsigned)FIELD_MAX);
	return format;
}

static const char *parse_length(struct conversion *conv, const char *format)
{
	switch (*format) {
	case 'h':
		conv->length = format[1] == 'h' ? LENGTH_CHAR : LENGTH_SHORT;
		return format + (format[1] == 'h' ? 2 : 1);
	case 'l':
		conv->length = LENGTH_LONG;
		return format + (format[1] == 'l' ? 2 : 1);
	case 'z':
	case 't':
	case 'j':
		/* All 64 bits, as long is. */
		conv->length = LENGTH_LONG;
		return format + 1;
	default:
		return format;
	}
}

/* A va_list inside a struct can be passed on and advanced. */
struct arguments {
	va_list list;
};

static int64_t argument_signed(struct arguments *args, enum length length)
{
	int value;

	if (length == LENGTH_LONG)
		return va_arg(args->list, int64_t);
	value = va_arg(args->list, int);
	if (length == LENGTH_CHAR)
		return (signed char)value;
	return length == LENGTH_SHORT ? (short)value : value;
}

static uint64_t argument_unsigned(struct arguments *args, enum length length)
{
	unsigned value;

	if (length == LENGTH_LONG)
		return va_arg(args->list, uint64_t);
	value = va_arg(args->list, unsigned);
	if (length == LENGTH_CHAR)
		return (unsigned char)value;
	return length == LENGTH_SHORT ? (unsigned short)value : value;
}

static const char *parse_width(struct conversion *conv, const char *format,
			       struct arguments *args)
{
	int value;

	if (*format != '*')
		return parse_decimal(format, &conv->width);
	value = va_arg(args->list, int);
	if (value < 0)
		conv->flags |= FLAG_LEFT;
	conv->width = value < 0 ? -(unsigned)value : (unsigned)value;
	conv->width = MIN(conv->width, (unsigned)FIELD_MAX);
	return format + 1;
}

static const char *parse_precision(struct conversion *conv, const char *format,
				   struct arguments *args)
{
	unsigned value;
	int given;

	if (*format != '.')
		return format;
	format++;
	if (*format == '*') {
		given = va_arg(args->list, int);
		conv->precision = MIN(given, FIELD_MAX);
		return format + 1;
	}
	format = parse_decimal(format, &value);
	conv->precision = (int)value;
	return format;
}

/* False: no such conversion. */
static bool convert(struct output *out, struct conversion *conv, char kind,
		    struct arguments *args)
{
	char c;

	switch (kind) {
	case 'd':
	case 'i':
		print_signed(out, conv, argument_signed(args, conv->length));
		return true;
	case 'u':
		print_number(out, conv, argument_unsigned(args, conv->length),
			     10, "");
		return true;
	case 'o':
		print_number(out, conv, argument_unsigned(args, conv->length),
			     8, "");
		return true;
	case 'X':
		conv->flags |= FLAG_UPPER;
		/* fallthrough */
	case 'x':
		print_hex(out, conv, argument_unsigned(args, conv->length));
		return true;
	case 'p':
		conv->flags |= FLAG_ALT;
		print_hex(out, conv, (uintptr_t)va_arg(args->list, void *));
		return true;
	case 'c':
		c = (char)va_arg(args->list, int);
		print_text(out, conv, &c, 1);
		return true;
	case 's':
		print_string(out, conv, va_arg(args->list, const char *));
		return true;
	case '%':
		output_char(out, '%');
		return true;
	default:
		return false;
	}
}

int vsnprintf(char *to, size_t size, const char *format, va_list list)
{
	struct output out = { .to = to, .size = size };
	struct arguments args;

	va_copy(args.list, list);
	while (*format) {
		struct conversion conv = { .precision = -1 };
		const char *start = format++;

		if (*start != '%') {
			output_char(&out, *start);
			continue;
		}
		format = parse_flags(&conv, format);
		format = parse_width(&conv, format, &args);
		format = parse_precision(&conv, format, &args);
		format = parse_length(&conv, format);
		if (*format && convert(&out, &conv, *format, &args))
			format++;
		else
			output_text(&out, start, (size_t)(format - start));
	}
	va_end(args.list);
	if (size)
		to[MIN(out.length, size - 1)] = '\0';
	return (int)out.length;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(to, size, format, args);
	va_end(args);
	return n;
}
