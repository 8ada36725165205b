-- Version 4: a kind of figure is new, mean points. The tables stay the same.

COMMENT ON COLUMN {schema}.figure_latest.kind IS 'ratio, count, mean, points, median or stock.';
COMMENT ON COLUMN {schema}.figures.kind IS 'ratio, count, mean, points, median or stock.';
COMMENT ON COLUMN {schema}.indicators.kind IS 'ratio, count, mean, points, median or stock.';
COMMENT ON COLUMN {schema}.figure_latest.numerator IS 'What counts; of a mean the sum of the amounts, of points their sum, of a median the amount itself.';
COMMENT ON COLUMN {schema}.figures.numerator IS 'What counts; of a mean the sum of the amounts, of points their sum, of a median the amount itself.';
COMMENT ON COLUMN {schema}.figure_latest.value IS 'What people read: the ratio, the count, the mean points, or the mean or median amount; null of nothing and of what is all unknown.';
COMMENT ON COLUMN {schema}.figure_latest.unknown IS 'What is in the denominator while the data do not say whether it is in the numerator; of a mean, points or a median the dossiers without a known amount; null when the night did not count it.';
COMMENT ON COLUMN {schema}.figures.value IS 'What people read: the ratio, the count, the mean points, or the mean or median amount; null of nothing and of what is all unknown.';
COMMENT ON COLUMN {schema}.figures.unknown IS 'What is in the denominator while the data do not say whether it is in the numerator; of a mean, points or a median the dossiers without a known amount; null when the night did not count it.';
