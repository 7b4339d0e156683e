package ingest

import (
	"math"
	"math/big"
	"math/bits"
	"slices"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/carnet-network/carnet/pkg/schema"
)

// textFunc writes a Parquet value that is not NULL as the text a CSV file would have.
type textFunc func(parquet.Value) string

// textOf chooses the conversion for a column. Types without one give a text that no
// code list and no measure accepts, so that such columns may be there unused.
func textOf(t parquet.Type) textFunc {
	var logical any
	if l := t.LogicalType(); l != nil {
		logical = l.Value
	}
	if d, ok := logical.(*format.DecimalType); ok && d.Scale >= 0 && d.Scale <= 100 {
		return decimalText(t.Kind(), int(d.Scale))
	}
	switch logical.(type) {
	case *format.TimeType, *format.TimestampType, *format.UUIDType, *format.BsonType, *format.Float16Type, *format.DecimalType:
		return unsupported(t)
	}
	switch t.Kind() {
	case parquet.Boolean:
		return func(v parquet.Value) string { return strconv.FormatBool(v.Boolean()) }
	case parquet.Int32, parquet.Int64:
		return integerText(t.Kind(), logical)
	case parquet.Float:
		return func(v parquet.Value) string { return floatText(float64(v.Float())) }
	case parquet.Double:
		return func(v parquet.Value) string { return floatText(v.Double()) }
	case parquet.ByteArray:
		return func(v parquet.Value) string { return string(v.ByteArray()) }
	}
	return unsupported(t)
}

func unsupported(t parquet.Type) textFunc {
	text := "(a value of the unsupported Parquet type " + t.String() + ")"
	return func(parquet.Value) string { return text }
}

func integer(kind parquet.Kind, v parquet.Value) int64 {
	if kind == parquet.Int32 {
		return int64(v.Int32())
	}
	return v.Int64()
}

func integerText(kind parquet.Kind, logical any) textFunc {
	switch l := logical.(type) {
	case *format.DateType:
		return func(v parquet.Value) string {
			return time.Unix(integer(kind, v)*86400, 0).UTC().Format(time.DateOnly)
		}
	case *format.IntType:
		if !l.IsSigned && kind == parquet.Int32 {
			return func(v parquet.Value) string { return strconv.FormatUint(uint64(v.Uint32()), 10) }
		}
		if !l.IsSigned {
			return func(v parquet.Value) string { return strconv.FormatUint(v.Uint64(), 10) }
		}
	}
	return func(v parquet.Value) string { return strconv.FormatInt(integer(kind, v), 10) }
}

// decimalText handles the three ways Parquet stores DECIMAL: integers, and big-endian
// two's complement bytes.
func decimalText(kind parquet.Kind, scale int) textFunc {
	if kind == parquet.Int32 || kind == parquet.Int64 {
		return func(v parquet.Value) string { return schema.FormatDecimal(big.NewInt(integer(kind, v)), scale) }
	}
	return func(v parquet.Value) string {
		b := slices.Clone(v.ByteArray())
		x := new(big.Int).SetBytes(b)
		if len(b) > 0 && b[0]&0x80 != 0 {
			x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
		return schema.FormatDecimal(x, scale)
	}
}

// floatText writes the exact value of a float, all digits: 0.25 is "0.25", but the
// float nearest to 0.1 has 55 digits after the point, and no scale accepts it.
func floatText(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	// f = mantissa x 2^exponent; an odd mantissa needs -exponent digits after the point.
	mantissa := math.Float64bits(f)&(1<<52-1) | 1<<52
	_, exponent := math.Frexp(f)
	digits := 0
	if f != 0 {
		digits = max(0, 53-exponent-bits.TrailingZeros64(mantissa))
	}
	return strconv.FormatFloat(f, 'f', digits, 64)
}
