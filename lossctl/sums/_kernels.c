/* Exact sums of doubles, as lossctl/sums/exact.py defines them, in one pass and without the interpreter's lock.

   Every function leaves the same digits as its NumPy twin, or others of the same number. No -ffast-math and no
   contraction to fused multiply-add: both would change bits. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define VECTORISED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORISED
#endif

enum {
    BLOCK = 1 << 15, FOLD = 46, DIGIT = 38, LOWEST = -1074, LEVELS = 60, CHUNK = 1 << 16, OCTAVE = 64,
    OCTAVES = 1 << 11, PIECE = 1 << 11, TERMS = 8, WINDOW = 32 * OCTAVE, ZERO = WINDOW, BELOW, PLACES, TABLES = 4,
    UNITS = 3, LONGER = 5, SPREAD = 8, NEAR = 1 << 8, TURNS = 4, PART = 18, PARTS = 3, NEARLY = 62, FAR = 800,
    FEW = 1 << 24, COLUMNS = 8, PLACES_OF_GROUP = 8, COUNT = 6, NARROW = 42, ORDERS = 31, FARTHEST = 400,
};

static const uint64_t SIZE_BITS = 0x7fffffffffffffffu, INFINITE_BITS = 0x7ff0000000000000u;
static const double HUGE_SIZE = 0x1p900, SMALLEST = 0x1p-800;

static inline int64_t bits_of(double value) {
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The largest size among the values, as bits: those of infinities and NaN are above all others. */
VECTORISED static uint64_t largest_bits(const double *restrict values, Py_ssize_t n) {
    uint64_t largest = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        uint64_t bits = (uint64_t)bits_of(values[i]) & SIZE_BITS;
        largest = bits > largest ? bits : largest;
    }
    return largest;
}

/* A number for each double that sorts as it does: NaN of either sign beyond the infinity of that sign. */
static inline int64_t rank_of(int64_t bits) { return bits ^ (int64_t)((uint64_t)(bits >> 63) >> 1); }

/* The least and the largest rank among the values. */
VECTORISED static void ranks_of(const double *restrict values, Py_ssize_t n, int64_t *least, int64_t *most) {
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (Py_ssize_t i = 0; i < n; i++) {
        const int64_t rank = rank_of(bits_of(values[i]));
        low = rank < low ? rank : low;
        high = rank > high ? rank : high;
    }
    *least = low;
    *most = high;
}

/* What is added to round a number to a multiple of 2^unit, which is then in its bits. */
static double magic_of(int unit) { return ldexp(1.5, 52 + unit); }

/* Sums of bits: of what values were rounded to in two steps; and all bits of what was left of them, a sign maybe. */
typedef struct {
    uint64_t upper, lower, left;
} Fold;

static inline void fold(Fold *sums, double value, double coarse, double fine) {
    const double shifted = value + coarse, rest = value - (shifted - coarse), second = rest + fine;
    sums->upper += (uint64_t)bits_of(shifted);
    sums->lower += (uint64_t)bits_of(second);
    sums->left |= (uint64_t)bits_of(rest - (second - fine));
}

/* The sums of the multiples that the values of a block hold of 2^(exponent + FOLD) and, of the rest, of 2^exponent;
   whether something is left then. */
VECTORISED static int folded(const double *restrict values, Py_ssize_t n, int exponent, int64_t *high, int64_t *low) {
    const double coarse = magic_of(exponent + FOLD), fine = magic_of(exponent);
    Fold sums = {0, 0, 0};
    for (Py_ssize_t i = 0; i < n; i++) fold(&sums, values[i], coarse, fine);
    *high = (int64_t)(sums.upper - (uint64_t)n * (uint64_t)bits_of(coarse));
    *low = (int64_t)(sums.lower - (uint64_t)n * (uint64_t)bits_of(fine));
    return sums.left << 1 != 0;
}

/* Add whole units of 2^exponent to digits. */
static void add_units(int64_t *digits, int64_t units, int exponent) {
    const int level = (exponent - LOWEST) / DIGIT, up = (exponent - LOWEST) % DIGIT;
    const int64_t mask = ((int64_t)1 << DIGIT) - 1;
    digits[level] += (units & (((int64_t)1 << (DIGIT - up)) - 1)) << up;
    units >>= DIGIT - up;
    digits[level + 1] += units & mask;
    digits[level + 2] += units >> DIGIT;
}

/* Add one finite number to digits. */
static void add_double(int64_t *digits, double value) {
    int exponent;
    const double significand = frexp(value, &exponent);
    if (significand != 0.0) {
        const int unit = exponent - 53 < LOWEST ? LOWEST : exponent - 53;
        add_units(digits, (int64_t)ldexp(significand, exponent - unit), unit);
    }
}

/* Carry, so that all digits but the highest are below 2^38; a negative number keeps its sign in the highest. */
static void carry(int64_t *digits) {
    int highest = LEVELS - 1;
    while (highest > 0 && digits[highest] == 0) highest--;
    for (int level = 0; level < LEVELS - 1; level++) {
        const int64_t over = digits[level] >> DIGIT;
        if (level >= highest && (over == 0 || over == -1)) break;
        digits[level] -= over * ((int64_t)1 << DIGIT);
        digits[level + 1] += over;
    }
}

/* What two folds leave of some values; both may be one array. */
VECTORISED static void left_of(const double *values, Py_ssize_t n, int exponent, double *left) {
    const double coarse = magic_of(exponent + FOLD), fine = magic_of(exponent);
    for (Py_ssize_t i = 0; i < n; i++) {
        const double rest = values[i] - ((values[i] + coarse) - coarse);
        left[i] = rest - ((rest + fine) - fine);
    }
}

/* Add up to PIECE finite values to digits, given a bound of their sizes between SMALLEST and HUGE_SIZE: by two folds, and
   by two more where those leave something of a value. */
static void add_piece(int64_t *digits, const double *values, Py_ssize_t n, double bound) {
    double left[PIECE];
    for (; bound > SMALLEST; bound = double_of(largest_bits(left, n))) {
        int exponent;
        int64_t high, low;
        frexp(bound, &exponent);
        exponent -= 2 * FOLD;
        const int more = folded(values, n, exponent, &high, &low);
        add_units(digits, high, exponent + FOLD);
        add_units(digits, low, exponent);
        if (!more) return;
        left_of(values, n, exponent, left);
        values = left;
    }
    for (Py_ssize_t i = 0; i < n; i++) add_double(digits, left[i]);
}

static void total_of(const double *values, Py_ssize_t n, int64_t *digits, int64_t *infinite) {
    for (Py_ssize_t start = 0; start < n; start += BLOCK) {
        const double *block = values + start;
        const Py_ssize_t size = n - start < BLOCK ? n - start : BLOCK;
        const uint64_t bits = largest_bits(block, size);
        const double largest = double_of(bits);
        if (bits < INFINITE_BITS && SMALLEST < largest && largest < HUGE_SIZE) {
            for (Py_ssize_t i = 0; i < size; i += PIECE) {
                add_piece(digits, block + i, size - i < PIECE ? size - i : PIECE, largest);
            }
        } else if (bits) {
            for (Py_ssize_t i = 0; i < size; i++) {
                if (isfinite(block[i])) add_double(digits, block[i]);
                else infinite[isnan(block[i]) ? 2 : block[i] < 0]++;
            }
        }
        carry(digits);
    }
}

/* The multiples of two units that values have, the finer before the coarser, as `folded`; whether something is left. */
VECTORISED static int parts_of(const double *restrict values, Py_ssize_t n, int exponent, int64_t *restrict parts) {
    const double coarse = magic_of(exponent + FOLD), fine = magic_of(exponent);
    const int64_t coarse_bits = bits_of(coarse), fine_bits = bits_of(fine);
    uint64_t left = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        const double shifted = values[i] + coarse, rest = values[i] - (shifted - coarse), second = rest + fine;
        parts[2 * i] = bits_of(second) - fine_bits;
        parts[2 * i + 1] = bits_of(shifted) - coarse_bits;
        left |= (uint64_t)bits_of(rest - (second - fine)) << 1;
    }
    return left != 0;
}

/* As `parts_of`, of products in the three coarser of four units, and what their rounding took away in the finer. */
VECTORISED static int parts_of_products(const double *restrict products, const double *restrict errors, Py_ssize_t n,
                                        int exponent, int64_t *restrict parts) {
    const double first = magic_of(exponent + 3 * FOLD), second = magic_of(exponent + 2 * FOLD);
    const double third = magic_of(exponent + FOLD), fourth = magic_of(exponent);
    const uint64_t first_bits = (uint64_t)bits_of(first), second_bits = 2 * (uint64_t)bits_of(second);
    const uint64_t third_bits = 2 * (uint64_t)bits_of(third), fourth_bits = (uint64_t)bits_of(fourth);
    uint64_t left = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        const double one = products[i] + first, rest = products[i] - (one - first);
        const double two = rest + second, more = rest - (two - second), three = more + third;
        const double error_two = errors[i] + second, error = errors[i] - (error_two - second);
        const double error_three = error + third, last = error - (error_three - third), four = last + fourth;
        parts[4 * i] = (int64_t)((uint64_t)bits_of(four) - fourth_bits);
        parts[4 * i + 1] = (int64_t)((uint64_t)bits_of(three) + (uint64_t)bits_of(error_three) - third_bits);
        parts[4 * i + 2] = (int64_t)((uint64_t)bits_of(two) + (uint64_t)bits_of(error_two) - second_bits);
        parts[4 * i + 3] = (int64_t)((uint64_t)bits_of(one) - first_bits);
        left |= ((uint64_t)bits_of(more - (three - third)) | (uint64_t)bits_of(last - (four - fourth))) << 1;
    }
    return left != 0;
}

/* Add the parts of some rows, two or four, to the units of their groups, which are so far apart. */
static void scatter(const int64_t *restrict parts, const int64_t *restrict code, Py_ssize_t n, int64_t *restrict units,
                    Py_ssize_t pitch) {
    for (Py_ssize_t i = 0; i < n; i++) {
        int64_t *own = units + pitch * code[i];
        own[0] += parts[2 * i];
        own[1] += parts[2 * i + 1];
    }
}

VECTORISED static void scatter_products(const int64_t *restrict parts, const int64_t *restrict code, Py_ssize_t n,
                                        int64_t *restrict units, Py_ssize_t pitch) {
    for (Py_ssize_t i = 0; i < n; i++) {
        int64_t *own = units + pitch * code[i];
        for (int place = 0; place < 4; place++) own[place] += parts[4 * i + place];
    }
}

/* As both, of rows whose groups repeat: each would wait for the one before, so rows that are far from each other take
   turns, and those of a single group are added up first. */
static inline void scatter_repeated(const int64_t *restrict parts, const int64_t *restrict code, Py_ssize_t n,
                                    int64_t *restrict units, Py_ssize_t pitch, int single, const int width) {
    const Py_ssize_t turn = n / TURNS;
    int64_t sums[4] = {0};
    for (Py_ssize_t row = 0; single && row < n; row++)
        for (int place = 0; place < width; place++) sums[place] += parts[width * row + place];
    for (int place = 0; single && place < width; place++) units[pitch * code[0] + place] += sums[place];
    for (Py_ssize_t i = 0; !single && i < turn; i++)
        for (Py_ssize_t row = i; row < TURNS * turn; row += turn)
            for (int place = 0; place < width; place++) units[pitch * code[row] + place] += parts[width * row + place];
    for (Py_ssize_t row = TURNS * turn; !single && row < n; row++)
        for (int place = 0; place < width; place++) units[pitch * code[row] + place] += parts[width * row + place];
}

/* How many rows are of the group of the row before. */
VECTORISED static Py_ssize_t repeats_of(const int64_t *restrict code, Py_ssize_t n) {
    int64_t repeats = 0;
    for (Py_ssize_t i = 1; i < n; i++) repeats += code[i] == code[i - 1];
    return (Py_ssize_t)repeats;
}

/* Write out what so many folds leave of rows, the last of them to multiples of 2^exponent, with the group of each; how
   many have something left. */
static Py_ssize_t kept_by(double *restrict rest, const int64_t *restrict code, Py_ssize_t n, int folds, int exponent,
                          double *restrict left, int64_t *restrict left_code) {
    Py_ssize_t kept = 0;
    for (int fold = folds - 1; fold >= 0; fold--) {
        const double magic = magic_of(exponent + fold * FOLD);
        for (Py_ssize_t i = 0; i < n; i++) rest[i] -= (rest[i] + magic) - magic;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        left[kept] = rest[i];
        left_code[kept] = code[i];
        kept += rest[i] != 0.0;
    }
    return kept;
}

/* Write the units of some groups, of 2^exponent and what is a fold and more of them above, as digits, a row of `stride` a
   level, of which the highest says the sign; which rows have others than 0, a bit each. */
VECTORISED static int spread_some(const int64_t *restrict units, int places, int fold, Py_ssize_t pitch,
                                  Py_ssize_t groups, int exponent, int64_t *restrict digits, Py_ssize_t stride) {
    const int64_t mask = ((int64_t)1 << DIGIT) - 1;
    for (int level = 0; level < SPREAD; level++) memset(digits + level * stride, 0, groups * sizeof *digits);
    for (int place = 0; place < places; place++) {
        const int bits = (exponent - LOWEST) % DIGIT + place * fold, up = bits % DIGIT, down = DIGIT - up;
        int64_t *restrict row = digits + bits / DIGIT * stride;
        for (Py_ssize_t group = 0; group < groups; group++) {
            const int64_t unit = units[pitch * group + place], rest = unit >> down;
            row[group] += (unit & (((int64_t)1 << down) - 1)) << up;
            row[stride + group] += rest & mask;
            row[2 * stride + group] += rest >> DIGIT;
        }
    }
    for (int level = 0; level < SPREAD - 1; level++) {
        int64_t *restrict row = digits + level * stride;
        for (Py_ssize_t group = 0; group < groups; group++) {
            row[stride + group] += row[group] >> DIGIT;
            row[group] &= mask;
        }
    }
    int levels = 0;
    for (int level = SPREAD - 1; level >= 0; level--) {
        int64_t *restrict row = digits + level * stride;
        int64_t used = 0;
        for (Py_ssize_t group = 0; group < groups; group++) {
            const int64_t minus = level && row[group] == -1; /* of a negative number whose digits end below */
            if (level) row[group - stride] -= minus << DIGIT;
            row[group] += minus;
            used |= row[group];
        }
        levels |= (used != 0) << level;
    }
    return levels;
}

/* As `spread_some`, of all groups, as many at a time as stay in the cache. */
static int spread(const int64_t *units, int places, int fold, Py_ssize_t pitch, Py_ssize_t groups, int exponent,
                  int64_t *digits) {
    int levels = 0;
    for (Py_ssize_t group = 0; group < groups; group += NEAR)
        levels |= spread_some(units + pitch * group, places, fold, pitch, groups - group < NEAR ? groups - group : NEAR,
                              exponent, digits + group, groups);
    return levels;
}

/* The least and the largest value of each group, or NaN where one is, beside those that are there already. */
static void spans_by(const double *restrict values, const int64_t *restrict code, Py_ssize_t n, double *restrict low,
                     double *restrict high) {
    for (Py_ssize_t i = 0; i < n; i++) {
        const double value = values[i];
        double *least = low + code[i], *most = high + code[i];
        if (value < *least || isnan(value)) *least = value;
        if (value > *most || isnan(value)) *most = value;
    }
}

/* Count the values of each group that are below 0, and those above. */
static void signs_by(const double *restrict values, const int64_t *restrict code, Py_ssize_t n, int64_t *restrict signs) {
    for (Py_ssize_t i = 0; i < n; i++) {
        signs[2 * code[i]] += values[i] < 0.0;
        signs[2 * code[i] + 1] += values[i] > 0.0;
    }
}

/* Whether one of some scores is as far out as the furthest there are, up or down, or no finite number. */
VECTORISED static int reaches(const double *restrict score, Py_ssize_t n, double up, double down) {
    int64_t within = 1;
    for (Py_ssize_t i = 0; i < n; i++) within &= (score[i] < up) & (-score[i] < down);
    return !within;
}

/* Whether a row is further out than another: by its score, or by the first number in which they differ. */
static inline int further(double score, double *const *columns, int size, Py_ssize_t row, double best, const double *point) {
    if (score != best) return score > best;
    for (int column = 0; column < size; column++)
        if (columns[column][row] != point[column]) return columns[column][row] > point[column];
    return 0;
}

/* Keep of each group the row of the highest score, and the one of the lowest where both ways are asked for; of a score
   that is no finite number nobody knows how far out it is. Those of a group are so many `directions` apart. */
static void outermost(const double *score, double *const *columns, int size, const int64_t *code, Py_ssize_t n, int ways,
                      Py_ssize_t directions, double *best, double *points) {
    for (Py_ssize_t start = 0; start < n; start += PIECE) {
        const Py_ssize_t stop = n - start < PIECE ? n : start + PIECE;
        if (!code && !reaches(score + start, stop - start, best[0], ways > 1 ? best[1] : INFINITY)) continue;
        for (Py_ssize_t i = start; i < stop; i++) {
            double *own = best + (code ? directions * code[i] : 0), *point = points + size * (own - best);
            for (int way = 0; way < ways; way++) {
                const double out = way ? -score[i] : score[i];
                if (out < own[way] && out > -INFINITY) continue;
                if (!isfinite(out)) {
                    own[way] = INFINITY;
                    for (int column = 0; column < size; column++) point[size * way + column] = 0.0;
                } else if (further(out, columns, size, i, own[way], point + size * way)) {
                    own[way] = out;
                    for (int column = 0; column < size; column++) point[size * way + column] = columns[column][i];
                }
            }
        }
    }
}

/* The counts of the octaves that occur: each octave has a slot, from 1, once there is a number in it. */
typedef struct {
    int64_t *counts, spare[OCTAVE];
    uint8_t *slots;
    int room, used, full;
} Histogram;

static void open_histogram(Histogram *histogram, int64_t *counts, Py_ssize_t room, uint8_t *slots) {
    *histogram = (Histogram){.counts = counts, .slots = slots, .room = (int)room};
    for (int octave = 0; octave < OCTAVES; octave++)
        if (slots[octave] > histogram->used) histogram->used = slots[octave];
}

static int64_t *octave_of(Histogram *histogram, uint64_t octave) {
    if (!histogram->slots[octave] && histogram->used < histogram->room)
        histogram->slots[octave] = (uint8_t)++histogram->used;
    const int slot = histogram->slots[octave];
    if (slot && slot <= histogram->room) return histogram->counts + OCTAVE * (slot - 1);
    histogram->full = 1;
    return histogram->spare;
}

/* Where numbers are counted, by their sizes: in a bin of a window that begins with the first, as 0, or as one below;
   whether there are any below. */
VECTORISED static int places_of(const double *restrict values, Py_ssize_t n, uint32_t first,
                                uint32_t *restrict places) {
    uint32_t below = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        const uint32_t bin = (uint32_t)(((uint64_t)bits_of(values[i]) & SIZE_BITS) >> FOLD), place = bin - first;
        const uint32_t inside = place < WINDOW ? place : BELOW, counted = bin ? inside : ZERO;
        places[i] = counted;
        below |= counted == BELOW;
    }
    return below != 0;
}

/* How many of up to BLOCK numbers have their size in each of the 64 bins of an octave: those of a window that ends with
   the octave of the largest are counted in a few tables in turn, since the same one would wait for itself. */
typedef struct {
    uint32_t lowest;
    uint32_t tables[TABLES][PLACES];
} Window;

static void open_window(Window *window, uint64_t largest) {
    const uint32_t octave = (uint32_t)(largest >> FOLD) / OCTAVE;
    window->lowest = octave < WINDOW / OCTAVE ? 0 : octave + 1 - WINDOW / OCTAVE;
    memset(window->tables, 0, sizeof window->tables);
}

static void count_piece(Window *window, const double *values, Py_ssize_t n, Histogram *histogram) {
    uint32_t places[PIECE];
    const int below = places_of(values, n, OCTAVE * window->lowest, places);
    const Py_ssize_t whole = n - n % TABLES;
    for (Py_ssize_t i = 0; i < whole; i += TABLES)
        for (int table = 0; table < TABLES; table++) window->tables[table][places[i + table]]++;
    for (Py_ssize_t i = whole; i < n; i++) window->tables[0][places[i]]++;
    for (Py_ssize_t i = 0; below && i < n; i++) {
        if (places[i] != BELOW) continue;
        const uint64_t bin = ((uint64_t)bits_of(values[i]) & SIZE_BITS) >> FOLD;
        octave_of(histogram, bin / OCTAVE)[bin % OCTAVE]++;
    }
}

VECTORISED static void close_window(const Window *window, Histogram *histogram) {
    for (uint64_t index = 0; index < WINDOW / OCTAVE; index++) {
        uint32_t own[OCTAVE] = {0}, all = 0;
        for (int table = 0; table < TABLES; table++)
            for (int bin = 0; bin < OCTAVE; bin++) own[bin] += window->tables[table][OCTAVE * index + bin];
        for (int bin = 0; bin < OCTAVE; bin++) all += own[bin];
        if (!all) continue;
        int64_t *octave_counts = octave_of(histogram, window->lowest + index);
        for (int bin = 0; bin < OCTAVE; bin++) octave_counts[bin] += own[bin];
    }
    int64_t zeros = 0;
    for (int table = 0; table < TABLES; table++) zeros += window->tables[table][ZERO];
    if (zeros) *octave_of(histogram, 0) += zeros;
}

/* What the rounding of a product took away, by halves of 26 bits (Dekker 1971): as `lost` in two_doubles.py. */
static inline double lost(double product, double first, double second) {
    const double first_spread = 134217729.0 * first, second_spread = 134217729.0 * second;
    const double high = first_spread - (first_spread - first), low = first - high;
    const double top = second_spread - (second_spread - second), bottom = second - top;
    double error = high * top;
    error -= product;
    error += high * bottom;
    error += low * top;
    return error + low * bottom;
}

/* wx, w², w²x and w²x² of some rows, each followed by what its rounding took away. */
VECTORISED static void terms_of(const double *restrict values, const double *restrict weight, Py_ssize_t n,
                                double terms[TERMS][PIECE]) {
    for (Py_ssize_t i = 0; i < n; i++) {
        const double value = values[i], w = weight[i];
        const double product = w * value, product_error = lost(product, w, value);
        const double square = w * w, cross = w * product, squares = product * product;
        terms[0][i] = product;
        terms[1][i] = product_error;
        terms[2][i] = square;
        terms[3][i] = lost(square, w, w);
        terms[4][i] = cross;
        terms[5][i] = lost(cross, w, product) + w * product_error;
        terms[6][i] = squares;
        terms[7][i] = lost(squares, product, product) + (2.0 * product + product_error) * product_error;
    }
}

/* Some numbers without the bits that are not in a mask, and the rounded squares of what they are off another. */
typedef struct {
    uint64_t mask;
    double about;
} Pair;

static inline double first_of(Pair pair, double value) { return double_of((uint64_t)bits_of(value) & pair.mask); }

static inline double second_of(Pair pair, double value) {
    const double rest = value - pair.about;
    return rest * rest;
}

/* As `folded`, of both. */
VECTORISED static int folded_pair(Pair pair, const double *restrict values, Py_ssize_t n, const int exponents[2],
                                  int64_t high[2], int64_t low[2]) {
    const double coarse = magic_of(exponents[0] + FOLD), fine = magic_of(exponents[0]);
    const double coarser = magic_of(exponents[1] + FOLD), finer = magic_of(exponents[1]);
    Fold firsts = {0, 0, 0}, squares = {0, 0, 0};
    for (Py_ssize_t i = 0; i < n; i++) {
        fold(&firsts, first_of(pair, values[i]), coarse, fine);
        fold(&squares, second_of(pair, values[i]), coarser, finer);
    }
    high[0] = (int64_t)(firsts.upper - (uint64_t)n * (uint64_t)bits_of(coarse));
    low[0] = (int64_t)(firsts.lower - (uint64_t)n * (uint64_t)bits_of(fine));
    high[1] = (int64_t)(squares.upper - (uint64_t)n * (uint64_t)bits_of(coarser));
    low[1] = (int64_t)(squares.lower - (uint64_t)n * (uint64_t)bits_of(finer));
    return (firsts.left | squares.left) << 1 != 0;
}

/* Both, written out. */
VECTORISED static void pair_of(Pair pair, const double *restrict values, Py_ssize_t n, double *restrict firsts,
                               double *restrict squares) {
    for (Py_ssize_t i = 0; i < n; i++) {
        firsts[i] = first_of(pair, values[i]);
        squares[i] = second_of(pair, values[i]);
    }
}

/* Whether numbers of this bound can be folded. */
static int foldable(double bound) { return SMALLEST < bound && bound < HUGE_SIZE; }

/* Add both of up to PIECE rows to digits, given bounds of their sizes that can be folded. */
static void add_pair(Pair pair, int64_t *digits, const double *values, Py_ssize_t n, const double bounds[2]) {
    int exponents[2];
    int64_t high[2], low[2];
    for (int power = 0; power < 2; power++) {
        frexp(bounds[power], &exponents[power]);
        exponents[power] -= 2 * FOLD;
    }
    if (!folded_pair(pair, values, n, exponents, high, low)) {
        for (int power = 0; power < 2; power++) {
            add_units(digits + LEVELS * power, high[power], exponents[power] + FOLD);
            add_units(digits + LEVELS * power, low[power], exponents[power]);
        }
        return;
    }
    double firsts[PIECE], squares[PIECE];
    pair_of(pair, values, n, firsts, squares);
    add_piece(digits, firsts, n, bounds[0]);
    add_piece(digits + LEVELS, squares, n, bounds[1]);
}

/* The sums of |g| and g² of up to BLOCK rows, the histogram of |g| and the largest; 0 where squares would lose digits,
   and then nothing of it is to be used. */
static int add_gradient(const double *gradient, Py_ssize_t n, int64_t *digits, Histogram *histogram, double *largest) {
    const uint64_t bits = largest_bits(gradient, n);
    const double bound = double_of(bits), bounds[2] = {bound, bound * bound};
    const Pair sizes = {SIZE_BITS, 0.0}; /* |g| and g² */
    Window window;
    if (bits && !(bits < INFINITE_BITS && foldable(bounds[0]) && foldable(bounds[1]))) return 0;
    open_window(&window, bits);
    for (Py_ssize_t start = 0; start < n; start += PIECE) {
        const Py_ssize_t size = n - start < PIECE ? n - start : PIECE;
        if (bits) add_pair(sizes, digits, gradient + start, size, bounds);
        count_piece(&window, gradient + start, size, histogram);
    }
    for (int power = 0; power < 2; power++) carry(digits + LEVELS * power);
    close_window(&window, histogram);
    if (bound > largest[0]) largest[0] = largest[1] = bound;
    return 1;
}

/* w|g|, its square and w|g|² of some rows. */
VECTORISED static void weighted_sizes_of(const double *restrict gradient, const double *restrict weight, Py_ssize_t n,
                                         double terms[3][PIECE]) {
    for (Py_ssize_t i = 0; i < n; i++) {
        const double size = fabs(gradient[i]), weighted = weight[i] * size;
        terms[0][i] = weighted;
        terms[1][i] = weighted * weighted;
        terms[2][i] = weighted * size;
    }
}

/* The bits of the largest |g| and w|g|; whether one of these has lost digits. */
VECTORISED static int largest_weighted(const double *restrict gradient, const double *restrict weight, Py_ssize_t n,
                                       uint64_t largest[2]) {
    uint64_t most = 0, own = 0;
    int64_t lost_digits = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        const double size = fabs(gradient[i]), weighted = weight[i] * size;
        const uint64_t bits = (uint64_t)bits_of(size), more = (uint64_t)bits_of(weighted);
        own = bits > own ? bits : own;
        most = more > most ? more : most;
        lost_digits |= (weighted < 0x1p-1000) & (size != 0.0);
    }
    largest[0] = most;
    largest[1] = own;
    return lost_digits != 0;
}

/* As `add_gradient`, of rows with weights: of w|g|, its square and w|g|². */
static int add_weighted_gradient(const double *gradient, const double *weight, Py_ssize_t n, int64_t *digits,
                                 Histogram *histogram, double *largest) {
    uint64_t bits[2];
    double terms[3][PIECE];
    Window window;
    const int lossy = largest_weighted(gradient, weight, n, bits);
    const double most = double_of(bits[0]), own = double_of(bits[1]), bounds[3] = {most, most * most, most * own};
    if (lossy || bits[0] >= INFINITE_BITS || bits[1] >= INFINITE_BITS) return 0;
    for (int term = 0; bits[0] && term < 3; term++)
        if (!foldable(bounds[term])) return 0;
    open_window(&window, bits[0]);
    for (Py_ssize_t start = 0; start < n; start += PIECE) {
        const Py_ssize_t size = n - start < PIECE ? n - start : PIECE;
        weighted_sizes_of(gradient + start, weight + start, size, terms);
        for (int term = 0; bits[0] && term < 3; term++)
            add_piece(digits + LEVELS * term, terms[term], size, bounds[term]);
        count_piece(&window, terms[0], size, histogram);
    }
    for (int term = 0; term < 3; term++) carry(digits + LEVELS * term);
    close_window(&window, histogram);
    for (int kind = 0; kind < 2; kind++)
        if (double_of(bits[kind]) > largest[kind]) largest[kind] = double_of(bits[kind]);
    return 1;
}

/* The largest size among the values, and the largest of what they are off a number, as bits. */
VECTORISED static void largest_off(const double *restrict values, Py_ssize_t n, double about, uint64_t largest[2]) {
    uint64_t most = 0, off = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        const uint64_t bits = (uint64_t)bits_of(values[i]) & SIZE_BITS;
        const uint64_t rest = (uint64_t)bits_of(values[i] - about) & SIZE_BITS;
        most = bits > most ? bits : most;
        off = rest > off ? rest : off;
    }
    largest[0] = most;
    largest[1] = off;
}

/* Add numbers to digits, and to others the squares of what each is off a number; the largest of that, which is infinite
   or NaN where one of them is no finite double, and then nothing of it is to be used. */
static double add_centred(const double *values, Py_ssize_t n, double about, int64_t *digits) {
    const Pair pair = {UINT64_MAX, about};
    int64_t infinite[3] = {0};
    uint64_t most = 0;
    for (Py_ssize_t start = 0; start < n; start += PIECE) {
        const double *piece = values + start;
        const Py_ssize_t size = n - start < PIECE ? n - start : PIECE;
        uint64_t largest[2];
        largest_off(piece, size, about, largest);
        const double off = double_of(largest[1]), bounds[2] = {double_of(largest[0]), off * off};
        if (foldable(bounds[0]) && foldable(bounds[1])) {
            add_pair(pair, digits, piece, size, bounds);
        } else {
            double firsts[PIECE], squares[PIECE];
            pair_of(pair, piece, size, firsts, squares);
            total_of(firsts, size, digits, infinite);
            total_of(squares, size, digits + LEVELS, infinite);
        }
        for (int power = 0; power < 2; power++) carry(digits + LEVELS * power);
        most = largest[1] > most ? largest[1] : most;
    }
    return infinite[0] | infinite[1] | infinite[2] ? NAN : double_of(most);
}

/* The level of the highest digit that is not 0, or -1. */
static int highest_of(const int64_t *digits) {
    int level = LEVELS - 1;
    while (level >= 0 && digits[level] == 0) level--;
    return level;
}

/* How many bits a digit above 0 has. */
static int length_of(int64_t digit) {
    int length;
    frexp((double)digit, &length);
    return length;
}

/* The mean of up to FEW numbers whose sum is given: a long division, of which 62 bits are rounded. */
static double mean_of(const int64_t *sum, Py_ssize_t n) {
    int64_t digits[LEVELS], rest = 0;
    memcpy(digits, sum, sizeof digits);
    carry(digits);
    int level = highest_of(digits);
    const int negative = level >= 0 && digits[level] < 0;
    if (negative) {
        for (int low = 0; low <= level; low++) digits[low] = -digits[low];
        carry(digits);
    }
    for (level = highest_of(digits); level >= 0; level--) {
        const int64_t above = rest << DIGIT | digits[level];
        digits[level] = above / n;
        rest = above % n;
    }
    level = highest_of(digits);
    if (level < 0) return 0.0;
    int bits = length_of(digits[level]), unit = LOWEST + DIGIT * level;
    int64_t leading = digits[level];
    while (bits < NEARLY && level > 0) {
        const int more = NEARLY - bits < DIGIT ? NEARLY - bits : DIGIT;
        leading = leading << more | digits[--level] >> (DIGIT - more);
        rest |= digits[level] & (((int64_t)1 << (DIGIT - more)) - 1);
        bits += more;
        unit -= more;
    }
    while (level > 0) rest |= digits[--level];
    const double mean = ldexp((double)(leading | (bits == NEARLY && rest)), unit);
    return negative ? -mean : mean;
}

/* Make squares about a number those about 0 by adding a(2Σx − na), and add both sums to others; 0 where there are no
   squares, they may have lost digits, or something is out of reach of digits, and then nothing was done. */
static int uncentred(int64_t *own, double about, Py_ssize_t n, int64_t *total) {
    int64_t rest[LEVELS], *squares = own + LEVELS;
    const int64_t mask = ((int64_t)1 << PART) - 1;
    const int highest = highest_of(squares);
    if (highest < 0 || n > FEW) return 0;
    const int bits = length_of(squares[highest]) + DIGIT * highest + LOWEST;
    if (bits <= -FAR || bits >= FAR) return 0;
    if (about != 0.0) {
        int exponent;
        int64_t whole = (int64_t)ldexp(frexp(about, &exponent), 53), parts[PARTS];
        exponent -= 53;
        if (exponent < -FAR / 2 || exponent > FAR / 2) return 0;
        for (int part = 0; part < PARTS; part++, whole >>= PART) parts[part] = part < PARTS - 1 ? whole & mask : whole;
        for (int level = 0; level < LEVELS; level++) rest[level] = 2 * own[level];
        for (int part = 0; part < PARTS; part++) add_units(rest, -(int64_t)n * parts[part], exponent + PART * part);
        carry(rest);
        if ((DIGIT * highest_of(rest) + exponent + PART * (PARTS - 1)) / DIGIT + 2 >= LEVELS) return 0;
        for (int level = 0; level < LEVELS; level++) {
            if (rest[level] == 0) continue;
            if (DIGIT * level + exponent < 0) return 0;
            for (int part = 0; part < PARTS; part++)
                add_units(squares, rest[level] * parts[part], LOWEST + DIGIT * level + exponent + PART * part);
        }
    }
    for (int level = 0; level < 2 * LEVELS; level++) total[level] += own[level];
    for (int power = 0; power < 2; power++) carry(total + LEVELS * power);
    return 1;
}

/* Whether all these terms are doubles that lost nothing; see `_products` in weighted.py. */
VECTORISED static int moderate(const double *restrict values, const double *restrict weight, Py_ssize_t n) {
    int64_t far = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        const double w = weight[i], size = fabs(w * values[i]);
        far |= !(w < 0x1p225) | !(w > 0x1p-225) | !(size < 0x1p450) | ((size < 0x1p-450) & (values[i] != 0.0));
    }
    return !far;
}

/* How many sums rows have at once: that of values; also that of squares; or those of weights and weighted values. All but
   the first are of products, each of which is two doubles. Of two with weights the first is left out: what remains is the
   sum of weighted values, of whatever sign. */
enum { PLAIN = 1, SQUARED = 2, WEIGHTED = 5, NOWHERE = 1 << 14 };

/* Products of some rows, and what their rounding took away. */
VECTORISED static void products_of(const double *values, const double *others, Py_ssize_t n, double *restrict products,
                                   double *restrict errors) {
    for (Py_ssize_t i = 0; i < n; i++) {
        products[i] = values[i] * others[i];
        errors[i] = lost(products[i], values[i], others[i]);
    }
}

/* Whether products of such numbers are doubles that lost nothing but what their rounding took away. */
VECTORISED static int squarable(const double *restrict values, Py_ssize_t n) {
    int64_t far = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        const double size = fabs(values[i]);
        far |= (size >= 0x1p450) | ((size < 0x1p-450) & (size != 0.0));
    }
    return !far;
}

/* The largest of wx, as bits. */
VECTORISED static uint64_t largest_product(const double *restrict values, const double *restrict weight, Py_ssize_t n) {
    uint64_t largest = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        const uint64_t bits = (uint64_t)bits_of(weight[i] * values[i]) & SIZE_BITS;
        largest = bits > largest ? bits : largest;
    }
    return largest;
}

/* The exponent of the finest unit of each sum, NOWHERE where it is of zeros; whether all can be folded. */
static int units_of(const double *values, const double *weight, Py_ssize_t n, int sums, int *exponents) {
    double bounds[WEIGHTED];
    if (sums == WEIGHTED) {
        if (!moderate(values, weight, n)) return 0;
        bounds[0] = double_of(largest_bits(weight, n));
        bounds[1] = double_of(largest_product(values, weight, n));
        bounds[2] = bounds[0] * bounds[0];
        bounds[3] = bounds[0] * bounds[1];
        bounds[4] = bounds[1] * bounds[1];
    } else {
        if (sums == SQUARED && !(squarable(values, n) && (!weight || squarable(weight, n)))) return 0;
        bounds[0] = weight ? 0.0 : double_of(largest_bits(values, n));
        bounds[1] = weight ? double_of(largest_product(values, weight, n)) : bounds[0] * bounds[0];
    }
    for (int sum = 0; sum < sums; sum++) {
        const int none = bounds[sum] == 0.0;
        if (!none && !foldable(bounds[sum])) return 0;
        frexp(bounds[sum], &exponents[sum]);
        exponents[sum] = none ? NOWHERE : exponents[sum] - (sum ? LONGER - 1 : UNITS - 1) * FOLD;
    }
    return 1;
}

/* Where the units of a sum begin among those of a group; of so many sums, how many there are. */
static Py_ssize_t begin_of(int sum) { return sum ? UNITS + LONGER * (sum - 1) : 0; }

/* Carry what is above FOLD bits of units into the next. */
static void carry_units(int64_t *units, Py_ssize_t groups, int sums) {
    for (Py_ssize_t group = 0; group < groups; group++)
        for (int sum = 0; sum < sums; sum++) {
            int64_t *own = units + begin_of(sums) * group + begin_of(sum);
            for (int place = 0; place < (sum ? LONGER : UNITS) - 1; place++) {
                const int64_t over = own[place] >> FOLD;
                own[place] -= over * ((int64_t)1 << FOLD);
                own[place + 1] += over;
            }
        }
}

/* The units of the sums of rows by group; of as many rows as there is room for what is left of them. */
static Py_ssize_t units_by(const double *values, const double *weight, const int64_t *code, Py_ssize_t n, int sums,
                           const int *exponents, int64_t *units, Py_ssize_t groups, double (*numbers)[PIECE],
                           double *left, int64_t *left_code, Py_ssize_t room, Py_ssize_t *kept) {
    int64_t parts[4 * PIECE];
    const Py_ssize_t pitch = begin_of(sums);
    Py_ssize_t start = 0;
    int full = 0;
    for (; start < n && !full; start += PIECE) {
        const Py_ssize_t size = n - start < PIECE ? n - start : PIECE;
        const Py_ssize_t repeats = repeats_of(code + start, size);
        if (start && start % CHUNK == 0) carry_units(units, groups, sums);
        memcpy(numbers[0], (weight ? weight : values) + start, size * sizeof **numbers);
        if (sums == WEIGHTED) terms_of(values + start, weight + start, size, numbers + 1);
        if (sums == SQUARED)
            products_of(values + start, (weight ? weight : values) + start, size, numbers[1], numbers[2]);
        for (int sum = 0; sum < sums; sum++) {
            double *number = numbers[sum ? 2 * sum - 1 : 0], *error = sum ? numbers[2 * sum] : NULL;
            const int exponent = exponents[sum], folds = error ? LONGER - 2 : UNITS - 1;
            if (exponent == NOWHERE) continue;
            const int more = error ? parts_of_products(number, error, size, exponent, parts)
                                   : parts_of(number, size, exponent, parts);
            int64_t *own = units + begin_of(sum);
            if (repeats <= size / TURNS) (error ? scatter_products : scatter)(parts, code + start, size, own, pitch);
            else if (error) scatter_repeated(parts, code + start, size, own, pitch, repeats == size - 1, 4);
            else scatter_repeated(parts, code + start, size, own, pitch, repeats == size - 1, 2);
            for (int each = 0; more && each < (error ? 2 : 1); each++) {
                const Py_ssize_t place = room * sum + kept[sum];
                kept[sum] += kept_by(each ? error : number, code + start, size, folds,
                                     exponent + (error && !each ? FOLD : 0), left + place, left_code + place);
            }
            full |= kept[sum] + 2 * PIECE > room;
        }
    }
    return start < n ? start : n;
}

VECTORISED static int inside(const int64_t *restrict code, Py_ssize_t n, Py_ssize_t groups) {
    uint64_t outside = 0;
    for (Py_ssize_t i = 0; i < n; i++) outside |= (uint64_t)code[i] | ((uint64_t)groups - 1 - (uint64_t)code[i]);
    return outside <= INT64_MAX;
}

/* Whether a number is neither 0 nor within the orders below 2^top in which `gathered` adds. */
static inline int odd(double value, uint64_t lowest) {
    const uint64_t size = (uint64_t)bits_of(value) & SIZE_BITS;
    return (size - lowest >= (uint64_t)ORDERS << 52) & (size != 0);
}

/* The multiples of two units that numbers have, and those of four that their squares have, the finer before the coarser;
   whether some are odd, and have none. */
VECTORISED static int moments_of(const double *restrict values, Py_ssize_t n, int top, int64_t *restrict firsts,
                                 int64_t *restrict squares) {
    const double coarse = magic_of(top - NARROW), fine = magic_of(top - 2 * NARROW);
    const double first = magic_of(2 * top - NARROW), second = magic_of(2 * top - 2 * NARROW);
    const double third = magic_of(2 * top - 3 * NARROW), fourth = magic_of(2 * top - 4 * NARROW);
    const uint64_t coarse_bits = (uint64_t)bits_of(coarse), fine_bits = (uint64_t)bits_of(fine);
    const uint64_t first_bits = (uint64_t)bits_of(first), second_bits = 2 * (uint64_t)bits_of(second);
    const uint64_t third_bits = 2 * (uint64_t)bits_of(third), fourth_bits = (uint64_t)bits_of(fourth);
    const uint64_t lowest = (uint64_t)bits_of(ldexp(1.0, top - ORDERS));
    uint64_t any = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        const uint64_t far = (uint64_t)odd(values[i], lowest);
        const double value = double_of((uint64_t)bits_of(values[i]) & (far - 1));
        const double shifted = value + coarse, low = (value - (shifted - coarse)) + fine;
        firsts[2 * i] = (int64_t)((uint64_t)bits_of(low) - fine_bits);
        firsts[2 * i + 1] = (int64_t)((uint64_t)bits_of(shifted) - coarse_bits);
        const double square = value * value, error = lost(square, value, value);
        const double one = square + first, rest = square - (one - first);
        const double two = rest + second, three = (rest - (two - second)) + third;
        const double error_two = error + second, error_rest = error - (error_two - second);
        const double error_three = error_rest + third, four = (error_rest - (error_three - third)) + fourth;
        squares[4 * i] = (int64_t)((uint64_t)bits_of(four) - fourth_bits);
        squares[4 * i + 1] = (int64_t)((uint64_t)bits_of(three) + (uint64_t)bits_of(error_three) - third_bits);
        squares[4 * i + 2] = (int64_t)((uint64_t)bits_of(two) + (uint64_t)bits_of(error_two) - second_bits);
        squares[4 * i + 3] = (int64_t)((uint64_t)bits_of(one) - first_bits);
        any |= far;
    }
    return any != 0;
}

#if defined(__GNUC__)
typedef int64_t Two __attribute__((vector_size(16), aligned(8), may_alias));
typedef int64_t Four __attribute__((vector_size(32), aligned(8), may_alias));

static inline void add_two(int64_t *own, const int64_t *parts) { *(Two *)own += *(const Two *)parts; }

static inline void add_four(int64_t *own, const int64_t *parts) { *(Four *)own += *(const Four *)parts; }
#else
static inline void add_two(int64_t *own, const int64_t *parts) {
    for (int place = 0; place < 2; place++) own[place] += parts[place];
}

static inline void add_four(int64_t *own, const int64_t *parts) {
    for (int place = 0; place < 4; place++) own[place] += parts[place];
}
#endif

static inline void add_row(int64_t *units, int64_t group, const int64_t *firsts, const int64_t *squares) {
    int64_t *own = units + PLACES_OF_GROUP * group;
    add_four(own, squares);
    add_two(own + 4, firsts);
    own[COUNT]++;
}

/* Add the multiples of some rows, and how many these are, to the units of their groups: rows that are far from each other
   take turns where groups repeat, as each would wait for the one before, and those of a single group are added up first. */
VECTORISED static void add_rows(const int64_t *restrict firsts, const int64_t *restrict squares,
                                const int64_t *restrict code, Py_ssize_t n, int64_t *restrict units) {
    const Py_ssize_t repeats = repeats_of(code, n), turn = repeats > n / TURNS ? n / TURNS : 0;
    if (repeats == n - 1) {
        int64_t sums[PLACES_OF_GROUP] = {0};
        for (Py_ssize_t i = 0; i < n; i++) {
            for (int place = 0; place < 4; place++) sums[place] += squares[4 * i + place];
            for (int place = 0; place < 2; place++) sums[4 + place] += firsts[2 * i + place];
        }
        sums[COUNT] = n;
        for (int place = 0; place < PLACES_OF_GROUP; place++) units[PLACES_OF_GROUP * code[0] + place] += sums[place];
        return;
    }
    for (Py_ssize_t i = 0; i < turn; i++)
        for (Py_ssize_t row = i; row < TURNS * turn; row += turn)
            add_row(units, code[row], firsts + 2 * row, squares + 4 * row);
    for (Py_ssize_t row = TURNS * turn; row < n; row++)
        add_row(units, code[row], firsts + 2 * row, squares + 4 * row);
}

/* Add numbers, their squares, and how many these are, to the units of their groups, as many as there is room for those
   that are odd, which are written out; how many there were. */
static Py_ssize_t gathered(const double *values, const int64_t *code, Py_ssize_t n, int top, int64_t *units, double *left,
                           int64_t *left_code, Py_ssize_t room, Py_ssize_t *kept) {
    int64_t firsts[2 * NEAR], squares[4 * NEAR];
    const uint64_t lowest = (uint64_t)bits_of(ldexp(1.0, top - ORDERS));
    Py_ssize_t start = 0;
    while (start < n && *kept + NEAR <= room) {
        const Py_ssize_t size = n - start < NEAR ? n - start : NEAR;
        const double *own = values + start;
        const int64_t *own_code = code + start;
        const int far = moments_of(own, size, top, firsts, squares);
        add_rows(firsts, squares, own_code, size, units);
        for (Py_ssize_t i = 0; far && i < size; i++) {
            left[*kept] = own[i];
            left_code[*kept] = own_code[i];
            *kept += odd(own[i], lowest);
        }
        start += size;
    }
    return start;
}

/* Write the place of each whole number above `low`, or what a table has there, and count it; whether all are inside. */
#define NUMBERED(type)                                                                                             \
    static int numbered_##type(const type *restrict numbers, Py_ssize_t n, int64_t low, const int64_t *restrict table, \
                               Py_ssize_t entries, int64_t *restrict code, int64_t *restrict counts, Py_ssize_t size) { \
        uint64_t outside = 0;                                                                                      \
        for (Py_ssize_t i = 0; i < n; i++) {                                                                       \
            uint64_t place = (uint64_t)numbers[i] - (uint64_t)low;                                                 \
            if (table) {                                                                                           \
                outside |= place >= (uint64_t)entries;                                                             \
                place = (uint64_t)table[place < (uint64_t)entries ? place : 0];                                    \
            }                                                                                                      \
            outside |= place >= (uint64_t)size;                                                                    \
            place = place < (uint64_t)size ? place : 0;                                                            \
            code[i] = (int64_t)place;                                                                              \
            counts[place]++;                                                                                       \
        }                                                                                                          \
        return !outside;                                                                                           \
    }

NUMBERED(int8_t)
NUMBERED(int16_t)
NUMBERED(int32_t)
NUMBERED(int64_t)
NUMBERED(uint8_t)
NUMBERED(uint16_t)
NUMBERED(uint32_t)

/* --- what Python sees --- */

typedef struct {
    Py_buffer view;
    Py_ssize_t n;
    union { /* NULL of None */
        void *items;
        double *doubles;
        int64_t *integers;
    };
} Array;

/* A converter of an argument, as all below: a contiguous array; without an object what was taken is given back. */
static int taken(PyObject *object, Array *array, int flags) {
    if (!object) {
        PyBuffer_Release(&array->view);
        return 1;
    }
    *array = (Array){{0}};
    if (PyObject_GetBuffer(object, &array->view, PyBUF_C_CONTIGUOUS | flags)) return 0;
    array->n = array->view.itemsize ? array->view.len / array->view.itemsize : 0;
    array->items = array->view.buf ? array->view.buf : "";
    return Py_CLEANUP_SUPPORTED;
}

static int any_items(PyObject *object, void *array) { return taken(object, array, PyBUF_FORMAT); }
static int bytes_to_write(PyObject *object, void *array) { return taken(object, array, PyBUF_WRITABLE); }

static int eight_bytes(PyObject *object, Array *array, char kind, int flags) {
    const int status = taken(object, array, PyBUF_FORMAT | flags);
    if (!object || !status) return status;
    const char *format = array->view.format ? array->view.format : "B";
    const char last = format[strlen(format) - 1];
    const int swapped = *format == '<' || *format == '>'; /* as NumPy says of the other order of bytes */
    const int fits = !swapped && (kind == 'd' ? last == 'd' : last == 'l' || last == 'q');
    if (array->view.itemsize == 8 && fits) return status;
    PyErr_Format(PyExc_TypeError, "an array of format %s instead of %c", format, kind);
    PyBuffer_Release(&array->view);
    return 0;
}

static int doubles(PyObject *object, void *array) { return eight_bytes(object, array, 'd', 0); }
static int integers(PyObject *object, void *array) { return eight_bytes(object, array, 'q', 0); }
static int doubles_to_write(PyObject *object, void *array) { return eight_bytes(object, array, 'd', PyBUF_WRITABLE); }
static int integers_to_write(PyObject *object, void *array) { return eight_bytes(object, array, 'q', PyBUF_WRITABLE); }

static int doubles_or_none(PyObject *object, void *array) {
    if (object != Py_None) return doubles(object, array);
    *(Array *)array = (Array){{0}};
    return Py_CLEANUP_SUPPORTED;
}

static int integers_or_none(PyObject *object, void *array) {
    if (object != Py_None) return integers(object, array);
    *(Array *)array = (Array){{0}};
    return Py_CLEANUP_SUPPORTED;
}

static void release(Array *const *arrays) {
    for (; *arrays; arrays++) PyBuffer_Release(&(*arrays)->view);
}
#define RELEASE(...) release((Array *const[]){__VA_ARGS__, NULL})

static PyObject *unfit(void) {
    PyErr_SetString(PyExc_ValueError, "arrays of other lengths, or a group that is not there");
    return NULL;
}

static PyObject *kernels_total(PyObject *self, PyObject *args) {
    Array values, digits, infinite;
    if (!PyArg_ParseTuple(args, "O&O&O&", doubles, &values, integers_to_write, &digits, integers_to_write, &infinite))
        return NULL;
    const int fits = digits.n == LEVELS && infinite.n == 3;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        total_of(values.doubles, values.n, digits.integers, infinite.integers);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&values, &digits, &infinite);
    return fits ? Py_NewRef(Py_None) : unfit();
}

static PyObject *kernels_largest(PyObject *self, PyObject *object) {
    Array values;
    if (!doubles(object, &values)) return NULL;
    uint64_t bits;
    Py_BEGIN_ALLOW_THREADS
    bits = largest_bits(values.doubles, values.n);
    Py_END_ALLOW_THREADS
    RELEASE(&values);
    return PyFloat_FromDouble(bits > INFINITE_BITS ? NAN : double_of(bits));
}

static PyObject *kernels_span(PyObject *self, PyObject *object) {
    Array values;
    if (!doubles(object, &values)) return NULL;
    const int fits = values.n > 0;
    int64_t least = 0, most = 0;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        ranks_of(values.doubles, values.n, &least, &most);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&values);
    if (!fits) return unfit();
    const int64_t infinity = (int64_t)INFINITE_BITS;
    const int nan = most > infinity || least < -infinity - 1;
    const double low = nan ? NAN : double_of((uint64_t)rank_of(least));
    const double high = nan ? NAN : double_of((uint64_t)rank_of(most));
    return Py_BuildValue("dd", low, high);
}

static PyObject *kernels_sums_by(PyObject *self, PyObject *args) {
    Array values, weights, codes, digits, left, left_codes;
    Py_ssize_t start, rows = 0, kept[WEIGHTED] = {0};
    int sums, folds = 0, exponents[WEIGHTED], levels[WEIGHTED] = {0};
    if (!PyArg_ParseTuple(args, "O&O&O&niO&O&O&", doubles, &values, doubles_or_none, &weights, integers, &codes, &start,
                          &sums, integers_to_write, &digits, doubles_to_write, &left, integers_to_write, &left_codes))
        return NULL;
    PyObject *result = NULL;
    const Py_ssize_t n = values.n;
    const double *weight = weights.doubles;
    const int64_t *code = codes.integers;
    int fits = weight ? weights.n == n && (sums == SQUARED || sums == WEIGHTED) : sums == PLAIN || sums == SQUARED;
    const Py_ssize_t groups = fits ? digits.n / (SPREAD * sums) : 0, room = fits ? left.n / sums : 0;
    fits = fits && codes.n == n && 0 <= start && start <= n && room >= 2 * PIECE;
    fits = fits && left_codes.n == left.n && room * sums == left.n && groups * SPREAD * sums == digits.n;
    const Py_ssize_t pitch = fits ? begin_of(sums) : 1;
    int64_t *units = PyMem_Calloc(groups * pitch + 1, sizeof *units);
    double(*numbers)[PIECE] = units ? PyMem_Malloc(WEIGHTED * 2 * sizeof *numbers) : NULL;
    if (numbers) {
        Py_BEGIN_ALLOW_THREADS
        fits = fits && inside(code, n, groups);
        folds = fits && units_of(values.doubles, weight, n, sums, exponents);
        if (folds)
            rows = units_by(values.doubles + start, weight ? weight + start : NULL, code + start, n - start, sums,
                            exponents, units, groups, numbers, left.doubles, left_codes.integers, room, kept);
        for (int sum = 0; folds && sum < sums; sum++)
            if (exponents[sum] != NOWHERE)
                levels[sum] = spread(units + begin_of(sum), sum ? LONGER : UNITS, FOLD, pitch, groups, exponents[sum],
                                     digits.integers + SPREAD * groups * sum);
        Py_END_ALLOW_THREADS
    }
    if (!numbers) PyErr_NoMemory();
    else if (!fits) unfit();
    else result = folds ? PyList_New(0) : Py_NewRef(Py_None);
    for (int sum = 0; folds && result && sum < sums; sum++) {
        PyObject *told = Py_BuildValue("iin", (exponents[sum] - LOWEST) / DIGIT, levels[sum], kept[sum]);
        if (!told || PyList_Append(result, told)) Py_CLEAR(result);
        Py_XDECREF(told);
    }
    if (folds && result) result = Py_BuildValue("nN", start + rows, result);
    PyMem_Free(numbers);
    PyMem_Free(units);
    RELEASE(&values, &weights, &codes, &digits, &left, &left_codes);
    return result;
}

static PyObject *kernels_gathered(PyObject *self, PyObject *args) {
    Array values, codes, units, left, left_codes;
    Py_ssize_t start, kept;
    int top;
    if (!PyArg_ParseTuple(args, "O&O&niO&O&O&n", doubles, &values, integers, &codes, &start, &top, integers_to_write,
                          &units, doubles_to_write, &left, integers_to_write, &left_codes, &kept))
        return NULL;
    const Py_ssize_t n = values.n, room = left.n, groups = units.n / PLACES_OF_GROUP;
    int fits = codes.n == n && 0 <= start && start <= n && 0 <= kept && kept <= room && left_codes.n == room;
    fits = fits && room >= NEAR && -FARTHEST <= top && top <= FARTHEST && groups * PLACES_OF_GROUP == units.n;
    if (fits) {
        const double *rest = values.doubles + start;
        const int64_t *code = codes.integers + start;
        Py_BEGIN_ALLOW_THREADS
        fits = inside(code, n - start, groups);
        if (fits)
            start += gathered(rest, code, n - start, top, units.integers, left.doubles, left_codes.integers, room,
                              &kept);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&values, &codes, &units, &left, &left_codes);
    return fits ? Py_BuildValue("nn", start, kept) : unfit();
}

static PyObject *kernels_spread(PyObject *self, PyObject *args) {
    Array units, digits;
    int top, power;
    if (!PyArg_ParseTuple(args, "O&iiO&", integers, &units, &top, &power, integers_to_write, &digits)) return NULL;
    const Py_ssize_t groups = units.n / PLACES_OF_GROUP;
    int fits = groups * PLACES_OF_GROUP == units.n && digits.n == SPREAD * groups && (power == 1 || power == 2);
    fits = fits && -FARTHEST <= top && top <= FARTHEST;
    int exponent = 0, levels = 0;
    if (fits) {
        const int places = 2 * power;
        exponent = power * top - places * NARROW;
        Py_BEGIN_ALLOW_THREADS
        levels = spread(units.integers + (power == 1 ? 4 : 0), places, NARROW, PLACES_OF_GROUP, groups, exponent,
                        digits.integers);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&units, &digits);
    return fits ? Py_BuildValue("ii", (exponent - LOWEST) / DIGIT, levels) : unfit();
}

static PyObject *kernels_spans_by(PyObject *self, PyObject *args) {
    Array values, codes, low, high;
    if (!PyArg_ParseTuple(args, "O&O&O&O&", doubles, &values, integers, &codes, doubles_to_write, &low,
                          doubles_to_write, &high))
        return NULL;
    int fits = codes.n == values.n && high.n == low.n;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        fits = inside(codes.integers, codes.n, low.n);
        if (fits) spans_by(values.doubles, codes.integers, values.n, low.doubles, high.doubles);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&values, &codes, &low, &high);
    return fits ? Py_NewRef(Py_None) : unfit();
}

static PyObject *kernels_signs_by(PyObject *self, PyObject *args) {
    Array values, codes, signs;
    if (!PyArg_ParseTuple(args, "O&O&O&", doubles, &values, integers, &codes, integers_to_write, &signs)) return NULL;
    int fits = codes.n == values.n && signs.n % 2 == 0;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        fits = inside(codes.integers, codes.n, signs.n / 2);
        if (fits) signs_by(values.doubles, codes.integers, values.n, signs.integers);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&values, &codes, &signs);
    return fits ? Py_NewRef(Py_None) : unfit();
}

static PyObject *kernels_outermost(PyObject *self, PyObject *args) {
    PyObject *tuple;
    Array score, codes, best, points, arrays[COLUMNS];
    double *columns[COLUMNS];
    Py_ssize_t place, directions, held = 0;
    int ways;
    if (!PyArg_ParseTuple(args, "O&OO&O&O&nni", doubles, &score, &tuple, integers_or_none, &codes, doubles_to_write,
                          &best, doubles_to_write, &points, &place, &directions, &ways))
        return NULL;
    const Py_ssize_t size = PyTuple_Check(tuple) ? PyTuple_Size(tuple) : 0, n = score.n;
    const int64_t *code = codes.integers;
    int fits = 0 < size && size <= COLUMNS && 0 <= place && 0 < ways && ways <= 2 && ways <= directions;
    fits = fits && place <= directions - ways && best.n > 0 && best.n % directions == 0 && points.n == best.n * size;
    fits = fits && (!code || codes.n == n);
    for (; fits && held < size && doubles(PyTuple_GetItem(tuple, held), &arrays[held]); held++) {
        columns[held] = arrays[held].doubles;
        fits = arrays[held].n == n;
    }
    if (fits && held == size) {
        Py_BEGIN_ALLOW_THREADS
        fits = !code || inside(code, n, best.n / directions);
        if (fits)
            outermost(score.doubles, columns, (int)size, code, n, ways, directions, best.doubles + place,
                      points.doubles + size * place);
        Py_END_ALLOW_THREADS
    }
    for (Py_ssize_t column = 0; column < held; column++) RELEASE(&arrays[column]);
    RELEASE(&score, &codes, &best, &points);
    if (!fits) return unfit();
    return held == size ? Py_NewRef(Py_None) : NULL;
}

/* `numbered` for whole numbers of up to 8 bytes, with a sign or without. */
static int numbered(const Array *array, int64_t low, const int64_t *table, Py_ssize_t entries, int64_t *code,
                    int64_t *counts, Py_ssize_t size) {
    const int bare = strchr("BHIL", *array->view.format) != NULL;
    const void *numbers = array->items;
    const Py_ssize_t n = array->n;
    switch (array->view.itemsize) {
    case 1:
        return bare ? numbered_uint8_t(numbers, n, low, table, entries, code, counts, size)
                    : numbered_int8_t(numbers, n, low, table, entries, code, counts, size);
    case 2:
        return bare ? numbered_uint16_t(numbers, n, low, table, entries, code, counts, size)
                    : numbered_int16_t(numbers, n, low, table, entries, code, counts, size);
    case 4:
        return bare ? numbered_uint32_t(numbers, n, low, table, entries, code, counts, size)
                    : numbered_int32_t(numbers, n, low, table, entries, code, counts, size);
    default: return numbered_int64_t(numbers, n, low, table, entries, code, counts, size);
    }
}

static PyObject *kernels_numbered(PyObject *self, PyObject *args) {
    Array numbers, table, code, counts;
    long long low;
    if (!PyArg_ParseTuple(args, "O&LO&O&O&", any_items, &numbers, &low, integers_or_none, &table, integers_to_write,
                          &code, integers_to_write, &counts))
        return NULL;
    const Py_ssize_t wide = numbers.view.itemsize;
    const char *format = numbers.view.format;
    int fits = format && strlen(format) == 1 && strchr("bBhHiIlLqQ", *format);
    fits = fits && (wide == 1 || wide == 2 || wide == 4 || wide == 8) && numbers.n == code.n;
    if (fits && numbers.n) {
        fits = counts.n && (!table.items || table.n);
        Py_BEGIN_ALLOW_THREADS
        fits = fits && numbered(&numbers, low, table.integers, table.n, code.integers, counts.integers, counts.n);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&numbers, &table, &code, &counts);
    return fits ? Py_NewRef(Py_None) : unfit();
}

static PyObject *kernels_centred(PyObject *self, PyObject *args) {
    Array values, digits;
    double about, most = 0;
    if (!PyArg_ParseTuple(args, "O&dO&", doubles, &values, &about, integers_to_write, &digits)) return NULL;
    const int fits = digits.n == 2 * LEVELS;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        most = add_centred(values.doubles, values.n, about, digits.integers);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&values, &digits);
    return fits ? PyFloat_FromDouble(most) : unfit();
}

static PyObject *kernels_mean(PyObject *self, PyObject *object) {
    Array values;
    if (!doubles(object, &values)) return NULL;
    const int fits = values.n && values.n <= FEW;
    double mean = 0;
    if (fits) {
        int64_t digits[LEVELS] = {0}, infinite[3] = {0};
        Py_BEGIN_ALLOW_THREADS
        total_of(values.doubles, values.n, digits, infinite);
        mean = mean_of(digits, values.n);
        Py_END_ALLOW_THREADS
    }
    RELEASE(&values);
    return fits ? PyFloat_FromDouble(mean) : unfit();
}

static PyObject *kernels_uncentred(PyObject *self, PyObject *args) {
    Array own, total;
    Py_ssize_t n;
    double about;
    if (!PyArg_ParseTuple(args, "O&dnO&", integers_to_write, &own, &about, &n, integers_to_write, &total)) return NULL;
    const int fits = own.n == 2 * LEVELS && total.n == 2 * LEVELS;
    const int added = fits && uncentred(own.integers, about, n, total.integers);
    RELEASE(&own, &total);
    return fits ? PyBool_FromLong(added) : unfit();
}

static PyObject *kernels_sizes(PyObject *self, PyObject *args) {
    Array gradients, weights, digits, counts, slots, largest;
    if (!PyArg_ParseTuple(args, "O&O&O&O&O&O&", doubles, &gradients, doubles_or_none, &weights, integers_to_write,
                          &digits, integers_to_write, &counts, bytes_to_write, &slots, doubles_to_write, &largest))
        return NULL;
    const Py_ssize_t n = gradients.n, bins = counts.n;
    const double *gradient = gradients.doubles, *weight = weights.doubles;
    int fits = (!weight || weights.n == n) && digits.n == (weight ? 3 : 2) * LEVELS && largest.n == 2;
    fits = fits && bins % OCTAVE == 0 && bins / OCTAVE < 256 && slots.view.len == OCTAVES;
    int exact = 1;
    if (fits) {
        Histogram histogram;
        Py_BEGIN_ALLOW_THREADS
        open_histogram(&histogram, counts.integers, bins / OCTAVE, slots.items);
        for (Py_ssize_t start = 0; exact && start < n; start += BLOCK) {
            const Py_ssize_t size = n - start < BLOCK ? n - start : BLOCK;
            exact = weight ? add_weighted_gradient(gradient + start, weight + start, size, digits.integers, &histogram,
                                                   largest.doubles)
                           : add_gradient(gradient + start, size, digits.integers, &histogram, largest.doubles);
        }
        Py_END_ALLOW_THREADS
        exact = exact && !histogram.full;
    }
    RELEASE(&gradients, &weights, &digits, &counts, &slots, &largest);
    return fits ? PyBool_FromLong(exact) : unfit();
}

static PyObject *kernels_histogram(PyObject *self, PyObject *args) {
    Array values, counts, slots;
    if (!PyArg_ParseTuple(args, "O&O&O&", doubles, &values, integers_to_write, &counts, bytes_to_write, &slots))
        return NULL;
    const Py_ssize_t n = values.n, bins = counts.n;
    const int fits = bins % OCTAVE == 0 && bins / OCTAVE < 256 && slots.view.len == OCTAVES;
    int full = 0;
    if (fits) {
        Histogram histogram;
        Py_BEGIN_ALLOW_THREADS
        open_histogram(&histogram, counts.integers, bins / OCTAVE, slots.items);
        for (Py_ssize_t start = 0; start < n; start += BLOCK) {
            const Py_ssize_t size = n - start < BLOCK ? n - start : BLOCK;
            const double *block = values.doubles + start;
            Window window;
            open_window(&window, largest_bits(block, size));
            for (Py_ssize_t i = 0; i < size; i += PIECE)
                count_piece(&window, block + i, size - i < PIECE ? size - i : PIECE, &histogram);
            close_window(&window, &histogram);
        }
        Py_END_ALLOW_THREADS
        full = histogram.full;
    }
    RELEASE(&values, &counts, &slots);
    return fits ? PyBool_FromLong(!full) : unfit();
}

/* Of numbers whose low bits are counts, ascending: each of those above once, in place, and the sum of its counts. */
static PyObject *kernels_tally(PyObject *self, PyObject *args) {
    Array numbers, counts;
    Py_ssize_t kept = 0;
    int bits;
    if (!PyArg_ParseTuple(args, "O&iO&", integers_to_write, &numbers, &bits, integers_to_write, &counts)) return NULL;
    const int fits = counts.n == numbers.n && 0 < bits && bits < 63;
    if (fits) {
        const int64_t mask = ((int64_t)1 << bits) - 1;
        Py_BEGIN_ALLOW_THREADS
        int64_t last = 0;
        uint64_t sum = 0;
        for (Py_ssize_t i = 0; i < numbers.n; i++) {
            const int64_t packed = numbers.integers[i], number = packed >> bits, same = i && number == last;
            kept += !same;
            sum = (uint64_t)(packed & mask) + (sum & (uint64_t)-same);
            last = number;
            numbers.integers[kept - 1] = number;
            counts.integers[kept - 1] = (int64_t)sum;
        }
        Py_END_ALLOW_THREADS
    }
    RELEASE(&numbers, &counts);
    return fits ? PyLong_FromSsize_t(kept) : unfit();
}

static PyObject *kernels_weighted(PyObject *self, PyObject *args) {
    Array values, weights, digits;
    if (!PyArg_ParseTuple(args, "O&O&O&", doubles, &values, doubles, &weights, integers_to_write, &digits)) return NULL;
    const Py_ssize_t n = values.n;
    const double *value = values.doubles, *weight = weights.doubles;
    double(*terms)[PIECE] = PyMem_Malloc(TERMS * sizeof *terms);
    const int fits = weights.n == n && digits.n == 4 * LEVELS;
    int exact = 0;
    if (terms && fits) {
        int64_t none[3] = {0};
        Py_BEGIN_ALLOW_THREADS
        exact = moderate(value, weight, n);
        for (Py_ssize_t start = 0; exact && start < n; start += PIECE) {
            const Py_ssize_t size = n - start < PIECE ? n - start : PIECE;
            terms_of(value + start, weight + start, size, terms);
            for (int term = 0; term < TERMS; term++)
                total_of(terms[term], size, digits.integers + term / 2 * LEVELS, none);
        }
        Py_END_ALLOW_THREADS
    }
    PyMem_Free(terms);
    RELEASE(&values, &weights, &digits);
    if (!terms) return PyErr_NoMemory();
    return fits ? PyBool_FromLong(exact) : unfit();
}

static PyObject *kernels_terms(PyObject *self, PyObject *args) {
    Array values, weights, all;
    if (!PyArg_ParseTuple(args, "O&O&O&", doubles, &values, doubles, &weights, doubles_to_write, &all)) return NULL;
    const Py_ssize_t n = values.n;
    double(*terms)[PIECE] = PyMem_Malloc(TERMS * sizeof *terms);
    const int fits = weights.n == n && all.n == TERMS * n;
    if (terms && fits) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t start = 0; start < n; start += PIECE) {
            const Py_ssize_t size = n - start < PIECE ? n - start : PIECE;
            terms_of(values.doubles + start, weights.doubles + start, size, terms);
            for (int term = 0; term < TERMS; term++)
                memcpy(all.doubles + term * n + start, terms[term], size * sizeof *all.doubles);
        }
        Py_END_ALLOW_THREADS
    }
    PyMem_Free(terms);
    RELEASE(&values, &weights, &all);
    if (!terms) return PyErr_NoMemory();
    return fits ? Py_NewRef(Py_None) : unfit();
}

static PyMethodDef methods[] = {
    {"total", kernels_total, METH_VARARGS, "Add numbers to 60 digits, and count +inf, -inf and NaN."},
    {"largest", kernels_largest, METH_O, "The largest size among numbers; NaN where one is."},
    {"span", kernels_span, METH_O, "The least and the largest of numbers; both NaN where one is."},
    {"sums_by", kernels_sums_by, METH_VARARGS, "Write sums of numbers, of squares, of products, or of weighted values, as digits of groups: of rows up to where; of each from which level, which, how many are left."},
    {"gathered", kernels_gathered, METH_VARARGS, "Add numbers, their squares and how many they are to units of groups, from a row on, but for those that are odd: to which row, and how many odd ones there are."},
    {"spread", kernels_spread, METH_VARARGS, "Write what units of groups come to as digits: from which level, which."},
    {"numbered", kernels_numbered, METH_VARARGS, "Write the places of whole numbers, or what a table has there, and count them."},
    {"centred", kernels_centred, METH_VARARGS, "Add numbers, and their squares about one, to digits; how far they are off it, no finite double where one of them is none."},
    {"spans_by", kernels_spans_by, METH_VARARGS, "The least and the largest number of each group, beside those before."},
    {"signs_by", kernels_signs_by, METH_VARARGS, "Count the numbers of each group that are below 0, and those above."},
    {"outermost", kernels_outermost, METH_VARARGS, "Keep of each group the numbers of the row of the highest score, and of the lowest, unless those before are further out."},
    {"mean", kernels_mean, METH_O, "The mean of some finite numbers."},
    {"uncentred", kernels_uncentred, METH_VARARGS, "Add sums of numbers and of squares about one, made squares, to digits, unless some would be lost; whether so."},
    {"sizes", kernels_sizes, METH_VARARGS, "Add what is told of gradients, unless digits would be lost; whether so."},
    {"histogram", kernels_histogram, METH_VARARGS, "How many numbers are in each bin of an octave; whether all had room."},
    {"tally", kernels_tally, METH_VARARGS, "Of ascending numbers whose low bits are counts, each once with its counts added up; how many."},
    {"weighted", kernels_weighted, METH_VARARGS, "Add wx, w², w²x and w²x² to digits, where nothing is lost; whether so."},
    {"terms", kernels_terms, METH_VARARGS, "Write wx, w², w²x and w²x², each followed by what its rounding took away."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_kernels", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernels(void) { return PyModuleDef_Init(&module); }
