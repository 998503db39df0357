#include <gtest/gtest.h>

#include "tests/unit/query/expression_examples.h"

namespace idem::test {
namespace {

// Results of strings as PostgreSQL 15 gives them.
constexpr Example kStringExamples[] = {
    {"upper('aé')", "AÉ"},
    {"length('aé')", "2"},
    {"substring('hello' from 2 for 3)", "ell"},
    {"substring('foobar' from 'o(.)b')", "o"},
    {"position('lo' in 'hello')", "4"},
    {"left('hello',-2)", "hel"},
    {"right('hello',3)", "llo"},
    {"lpad('7',3,'0')", "007"},
    {"rpad('x',5,'ab')", "xabab"},
    {"btrim('xxhixx','x')", "hi"},
    {"replace('aXbX','X','yy')", "ayybyy"},
    {"translate('12345','143','ax')", "a2x5"},
    {"repeat('ab',3)", "ababab"},
    {"reverse('abc')", "cba"},
    {"split_part('a,b,c',',',2)", "b"},
    {"split_part('a,b,c',',',-1)", "c"},
    {"concat('a',1,null,true)", "a1t"},
    {"concat_ws(',','a',null,'b')", "a,b"},
    {"format('%s-%I-%L','x','a b','it''s')", "x-\"a b\"-'it''s'"},
    {"format('%2$s %1$s|%-5s|','a','b')", "b a|b    |"},
    {"quote_ident('Foo')", "\"Foo\""},
    {"quote_literal('it''s')", "'it''s'"},
    {"md5('abc')", "900150983cd24fb0d6963f7d28e17f72"},
    {"encode('abc'::bytea,'hex')", "616263"},
    {"encode(sha256('abc'::bytea),'hex')",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"decode('YWJj','base64')", "\\x616263"},
    {"ascii('A')", "65"},
    {"chr(233)", "é"},
    {"to_hex(255)", "ff"},
    {"starts_with('abc','ab')", "t"},
    {"overlay('Txxxxas' placing 'hom' from 2 for 4)", "Thomas"},
    {"initcap('hello world')", "Hello World"},
    {"trim_scale(1.500)", "1.5"},
    {"encode('\\001\\\\x'::bytea,'escape')", "\\\\x"},
    {"md5('')", "d41d8cd98f00b204e9800998ecf8427e"},
    {"char_length('日本語')", "3"},
    {"octet_length('日本語')", "9"},
    {"upper('straße')", "STRAßE"},
    {"lpad('日本', 5, 'x')", "xxx日本"},
    {"reverse('日本')", "本日"},
    {"left('日本語', 2)", "日本"},
    {"initcap('HELLO wORLD-foo')", "Hello World-Foo"},
    {"ascii('日')", "26085"},
    {"overlay('abcdef' placing 'XX' from 3)", "abXXef"},
    {"position('b' in 'abc')", "2"},
    {"split_part('abc','',1)", "abc"},
    {"concat_ws(null,'a')", "NULL"},
    {"quote_literal(E'a\\\\b')", "E'a\\\\b'"},
    {"quote_nullable(null)", "NULL"},
    {"format('%%')", "%"},
    {"format('%s')", "22023: too few arguments for format()"},
    {"format('%-10s|%10s|','a','b')", "a         |         b|"},
    {"sha512('')",
     "\\xcf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b9"
     "31bd47417a81a538327af927da3e"},
    {"decode('zz','hex')", "22023: invalid hexadecimal digit: \"z\""},
    {"encode('abc','foo')", "22023: unrecognized encoding: \"foo\""},
    {"convert_from('\\xe9','latin1')", "é"},
    {"to_hex(-1)", "ffffffff"},
    {"chr(0)", "54000: null character not permitted"},
    {"repeat('a',-1)", ""},
    {"substr('abc',-1,3)", "a"},
    {"substr('abc',0)", "abc"},
    {"right('abc',-1)", "bc"},
    {"starts_with('abc','')", "t"},
    {"translate('abc','b','')", "ac"},
};

TEST(StringFunctionTest, GivesTheResultsOfPostgres) { expect_examples(kStringExamples); }

}  // namespace
}  // namespace idem::test
