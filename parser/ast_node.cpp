#include "parser/ast_ddl.h"
#include "parser/ast_query.h"
#include "parser/ast_session.h"

namespace idem::ast {

// Out of line: the first virtual functions, and members of types that the expression header only names.
Expression::~Expression() = default;
TableRef::~TableRef() = default;
Statement::~Statement() = default;

Subquery::Subquery() : Expression(kKind) {}
Subquery::~Subquery() = default;
Quantified::Quantified() : Expression(kKind) {}
Quantified::~Quantified() = default;
In::In() : Expression(kKind) {}
In::~In() = default;
DerivedTable::DerivedTable() : TableRef(kKind) {}
DerivedTable::~DerivedTable() = default;

}  // namespace idem::ast
