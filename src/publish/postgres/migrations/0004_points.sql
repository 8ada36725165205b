-- Version 4: a kind of figure is new, mean points. The tables stay the same.

COMMENT ON COLUMN {schema}.figure_latest.kind IS 'ratio, count, mean, points, median or stock.';
COMMENT ON COLUMN {schema}.figures.kind IS 'ratio, count, mean, points, median or stock.';
COMMENT ON COLUMN {schema}.indicators.kind IS 'ratio, count, mean, points, median or stock.';
COMMENT ON COLUMN {schema}.figure_latest.numerator IS 'What counts; of a mean the sum of the amounts, of points their sum, of a median the amount itself.';
COMMENT ON COLUMN {schema}.figures.numerator IS 'What counts; of a mean the sum of the amounts, of points their sum, of a median the amount itself.';
